/**
 * A student: a distilled network, which samples in one number of steps. It learned the large steps of Euler's sampler from
 * noise to data (diffusion/few-steps.ts), with its teacher's guidance. So it has no other sampler, steps or guidance. The
 * recipe is training/distill.ts.
 */
import { ValueError } from '../errors.ts';
import type { OwnSampling } from './sampling-defaults.ts';

/** The settings of a sampling that a student restricts. An absent one is not restricted. */
export interface StudentSampling {
  readonly sampler?: string | undefined;
  readonly steps?: number | undefined;
  readonly guidance?: number | undefined;
  readonly classifierGuidance?: number | undefined;
  /** Whether the samples are made from a given picture. */
  readonly edits?: boolean | undefined;
}

/**
 * @param student the steps of the student; 0 or undefined for another model, which nothing restricts
 * @param before text before the name of a setting, such as `--`
 * @throws ValueError for a sampling that the student cannot do
 */
export function requireStudentSampling(
  student: number | undefined,
  { sampler, steps, guidance, classifierGuidance = 0, edits = false }: StudentSampling,
  before = '',
): void {
  if (!student) return;
  const refuse = (name: string, expected: string, got: string | number) => {
    throw new ValueError(`${before}${name}: expected ${expected}, got ${got}`);
  };
  if (steps !== undefined && steps !== student) {
    refuse('steps', `${student}, the steps that this student was made for`, steps);
  }
  if (sampler !== undefined && sampler !== 'euler') refuse('sampler', 'euler, as for every student', sampler);
  if (guidance !== undefined && guidance !== 1) {
    refuse('guidance', "1, because a student has learned its teacher's guidance", guidance);
  }
  if (classifierGuidance > 0) {
    refuse('classifier-guidance', '0, because this model is a student', classifierGuidance);
  }
  if (edits) refuse('from', 'a model that is not a student, which can only start from noise', 'one');
}

/** The default settings of a student's sampling. @throws ValueError if the given ones are not those of a student */
export function studentDefaults(student: number | undefined, own: OwnSampling): OwnSampling {
  if (!student) return own;
  requireStudentSampling(student, own, 'sampling: ');
  return { ...own, sampler: 'euler', steps: student, guidance: 1 };
}
