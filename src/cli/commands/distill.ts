/** `langevin distill`: makes a student, which samples in a few steps, from a diffusion model. train.ts runs the training. */
import { convertCheckpoint } from '../../checkpoint/checkpoint.ts';
import { tensorsDigest } from '../../checkpoint/digest.ts';
import { FormatError } from '../../errors.ts';
import { quoted } from '../../models/command-line.ts';
import { type DiffusionPipeline, diffusionOf } from '../../models/pipeline.ts';
import { DISTILL_TABLE } from '../../models/settings.ts';
import {
  type DistillRecipe,
  distillTrainer,
  requireStudentRun,
  resumeDistill,
  teacherSampling,
} from '../../models/training/distill.ts';
import { asUsage, type Options, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { readModelFile } from '../options/model.ts';
import { PROGRAM } from '../options/program.ts';
import type { Plan } from '../options/resume.ts';
import { DIFFUSION_FILES } from '../results/diffusion-results.ts';
import { distillResults } from '../results/distill-results.ts';
import type { NamedSets } from '../results/run-results.ts';
import { trainCommand } from './train.ts';

/** A teacher: two pipelines of it, one of which becomes the student, and what the student's file says of it. */
interface Teacher extends NamedSets {
  readonly teacher: DiffusionPipeline;
  /** A copy of the teacher, whose network learns. Absent for a run that resumes, which has its own. */
  readonly student?: DiffusionPipeline;
  readonly notes: Readonly<Record<string, unknown>>;
}

/** What a student's file says of its teacher. */
interface TeacherNote {
  readonly model: string;
  readonly digest: string;
}

/** Loads the teacher. For a run that resumes it must be the same as before. @throws FileError, FormatError */
async function loadTeacher({ checkpoint: run }: Plan, options: Options): Promise<Teacher> {
  if (run) requireStudentRun(run);
  const before = run?.settings?.teacher as TeacherNote | undefined;
  const typed = readSettings(DISTILL_TABLE, options);
  const given = (options.model === undefined && before?.model) || typed.model;
  const { path, checkpoint } = await readModelFile(given);
  const digest = await tensorsDigest(convertCheckpoint(checkpoint, { dtype: 'float32' }), path);
  if (before && before.digest !== digest) {
    const expected = `the teacher of this run, whose tensors have the digest ${before.digest}`;
    throw new FormatError(`${path}: expected ${expected}, got ${digest}; --model selects the teacher`);
  }
  const { data } = checkpoint.settings ?? {};
  return {
    train: { name: `paths of ${path}`, length: typed.paths },
    test: { name: `paths of ${path}`, length: typed.batchSize },
    teacher: diffusionOf(checkpoint),
    ...(run ? {} : { student: diffusionOf(checkpoint) }),
    notes: { teacher: { model: path, digest }, ...(data !== undefined && { data }) },
  };
}

export const DISTILL: Command = trainCommand<DistillRecipe, Teacher>({
  name: 'distill',
  summary: 'Make a student of a diffusion model, which samples in a few steps',
  examples: [
    'distill --model mnist-unet --steps 4 --out out/student',
    'distill --model out/student --steps 1 --out out/one-step',
    'distill --resume out/student',
    'sample --model out/student',
  ],
  table: DISTILL_TABLE,
  out: 'out/student',
  files: DIFFUSION_FILES,
  free: ['model'],
  load: loadTeacher,
  notes: () => ({}),
  begin(options) {
    const { model: _model, seconds: _limit, ...typed } = readSettings(DISTILL_TABLE, options);
    return ({ teacher, student, notes }, limitSeconds) => {
      const settings = { ...typed, ...asUsage(() => teacherSampling(teacher, typed), '--') };
      return distillTrainer(teacher, student!, settings, notes, limitSeconds);
    };
  },
  resume: (checkpoint, { teacher }, options) => resumeDistill(checkpoint, teacher, options),
  lines({ model, paths, settings }, parameters) {
    const { student, teacherSteps, guidance } = settings;
    const { teacher } = paths;
    return [
      `student  ${student === 1 ? '1 step' : `${student} steps`}, ${model.network.description}, ${parameters}`,
      `teacher  ${teacherSteps} steps of ${teacher.settings.student ? 'a student' : 'heun'}, guidance ${guidance}`,
    ];
  },
  results: distillResults,
  next: (out) => [[`${PROGRAM} sample --model ${quoted(out)}`, 'samples with the student']],
});
