/**
 * The recipe of distillation: a student of the teacher's architecture learns to sample in 1 to 8 steps what the
 * teacher samples in many. It begins with the teacher's parameters.
 *
 *     interval k of a path goes from x_k to x_{k+1}, as the teacher sampled it (paths.ts)
 *     target = the prediction with which Euler's step leads from x_k to x_{k+1} (diffusion/few-steps.ts)
 *     loss   = mean of (prediction of x_k at the time of level k - target)²
 *
 * On the flow schedule the target is the average velocity over the interval. The teacher's guidance is a part of the paths.
 * So a student needs no guidance, and one evaluation a step. A student can be the teacher of another with half of its
 * steps. Then the target is made of two evaluations of the teacher, which is the splitting identity of few-steps.ts.
 *
 * Each level has one interval. So the time input of the network determines the interval, and the network has no second
 * time input. The price: a student has one number of steps.
 *
 * Training: Adam with beta2 0.99 and clipped gradients, a warm-up and half a cosine down to 0, and a moving average.
 * The test loss is that of the average on one batch of other paths, over all their intervals.
 *
 * Sources: Luhman and Luhman, "Knowledge distillation in iterative generative models" (2021); Salimans and Ho,
 * "Progressive distillation for fast sampling of diffusion models" (2022). Left out on purpose: adversarial losses.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import type { Checkpoint, CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import { jumps } from '../../diffusion/few-steps.ts';
import type { Coefficients } from '../../diffusion/prediction.ts';
import { perSample } from '../../diffusion/process.ts';
import { FormatError, ValueError } from '../../errors.ts';
import type { LrSchedule } from '../../optim/lr-schedule.ts';
import { withDefaults } from '../../options.ts';
import type { Rng, Seed } from '../../random/rng.ts';
import { mse } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { DiffusionNetwork } from '../networks/diffusion-network.ts';
import { DiffusionPipeline, diffusionInfo, diffusionOf } from '../pipeline.ts';
import { GUIDANCE, SAMPLING_DEFAULTS } from '../sampling-defaults.ts';
import { defaultsOf } from '../setting.ts';
import { DISTILL_TABLE } from '../settings.ts';
import { requirement, requireWhole } from './check.ts';
import { Trainer } from './loop.ts';
import { type IntervalBatch, PathSource, Paths, requireTeacherSteps, type TeacherSampling } from './paths.ts';
import { warmCosineLr } from './rates.ts';
import type { Recipe } from './recipe.ts';
import { RESUME_DEFAULTS, type ResumeOptions, resumeRun, settingsOf } from './resume.ts';

/** The settings of a distillation. */
export interface DistillSettings extends TeacherSampling {
  /** The number of steps in which the student samples. */
  readonly student: number;
  /** The number of paths that the teacher samples. */
  readonly paths: number;
  /** Passes over the paths. */
  readonly epochs: number;
  /** Intervals in a batch. */
  readonly batchSize: number;
  /** Adam's learning rate after the warm-up. */
  readonly lr: number;
  /** The decay of the moving average. */
  readonly ema: number;
  /** The seed of the noise and of the order of the paths. */
  readonly seed: Seed;
}

const { model: _model, seconds: _limit, ...table } = defaultsOf(DISTILL_TABLE);
/** The default settings. Steps and guidance of a teacher that has its own are its own: `teacherSampling`. */
export const DISTILL_SETTINGS: DistillSettings = {
  ...table,
  ...{ teacherSteps: 8, guidance: 1, guidanceAbove: 0, guidanceBelow: 0 },
};

const BETAS = [0.9, 0.99] as const;
const CLIP = 1;

/** The settings of the teacher and its data, for the file of the student. They are values of JSON. */
export type TeacherNotes = Readonly<Record<string, unknown>>;

/** The recipe that this file's header describes. */
export class DistillRecipe implements Recipe {
  readonly module: DiffusionNetwork;
  /** None: the noise of a path follows from the seed and the number of its block. */
  readonly streams: Record<string, Rng> = {};
  readonly ema: number;
  readonly betas = BETAS;
  readonly clip = CLIP;
  private readonly jumps: readonly Coefficients[];
  private readonly testing: PathSource;

  /** @throws ValueError for a model whose prediction does not determine the data at pure noise */
  constructor(
    /** The student. */
    readonly model: DiffusionPipeline,
    /** The paths of its teacher. */
    readonly paths: Paths,
    /** All settings of the run. */
    readonly settings: DistillSettings,
    private readonly notes: TeacherNotes,
  ) {
    const { batchSize, seed } = settings;
    this.module = model.network;
    this.ema = settings.ema;
    this.jumps = jumps(paths.levels, model.predicts);
    this.testing = new PathSource(paths, batchSize, batchSize, `${seed}, test`);
  }

  get info(): CheckpointInfo {
    const { seed, ...settings } = this.settings;
    return { ...diffusionInfo(this.model, { ...settings, ...this.notes }), seed };
  }

  schedule(lr: number, steps: number): LrSchedule {
    return warmCosineLr(lr, steps, 0);
  }

  loss({ images, ends, intervals, known }: IntervalBatch): Tensor {
    const [a, b] = ([0, 1] as const).map((side) =>
      perSample(
        intervals.map((k) => this.jumps[k][side]),
        images,
      ),
    );
    const times = intervals.map((k) => this.paths.levels[k].t);
    return mse(this.model.predictEach(images, times, known), images.mul(a).add(ends.mul(b)));
  }

  test(): number {
    const { steps } = this.paths;
    let sum = 0;
    for (let epoch = 0; epoch < steps; epoch++) {
      this.testing.seek({ epoch, batch: 0 });
      sum += scope(() => noGrad(() => this.loss(this.testing.next()).item()));
    }
    return sum / steps;
  }
}

/**
 * The teacher's steps and guidance: those that were chosen, else its own.
 * @param chosen a setting can be absent, but not the student's steps
 * @throws ValueError for settings that do not fit the teacher or the student's steps
 */
export function teacherSampling(
  teacher: DiffusionPipeline,
  chosen: Pick<DistillSettings, 'student'> & { readonly [K in keyof TeacherSampling]?: number | undefined },
): TeacherSampling {
  const { sampling, settings, classes } = teacher;
  const isStudent = (settings.student ?? 0) > 0;
  const guidance = chosen.guidance ?? (isStudent || classes === 0 ? 1 : (sampling.guidance ?? GUIDANCE));
  if (guidance !== 1 && (isStudent || classes === 0)) {
    const kind = isStudent ? 'that is a student itself' : 'without labels';
    throw new ValueError(`guidance: expected 1 for a teacher ${kind}, got ${guidance}`);
  }
  const teacherSteps = chosen.teacherSteps ?? (settings.student || DISTILL_SETTINGS.teacherSteps);
  requireTeacherSteps(teacher, chosen.student, teacherSteps);
  return {
    teacherSteps,
    guidance,
    guidanceAbove: chosen.guidanceAbove ?? sampling.guidanceAbove ?? SAMPLING_DEFAULTS.guidanceAbove,
    guidanceBelow: chosen.guidanceBelow ?? sampling.guidanceBelow ?? SAMPLING_DEFAULTS.guidanceBelow,
  };
}

/**
 * A new run.
 * @param teacher its network stays unchanged
 * @param student a second copy of the teacher, whose network learns
 * @param limitSeconds the time limit of training in seconds. Default: no limit
 * @throws ValueError for settings out of range, or that do not fit the teacher
 */
export function distillTrainer(
  teacher: DiffusionPipeline,
  student: DiffusionPipeline,
  settings: DistillSettings,
  notes: TeacherNotes = {},
  limitSeconds?: number,
): Trainer<DistillRecipe> {
  const filled = withDefaults('distill', settings, DISTILL_SETTINGS);
  const { student: steps, teacherSteps, guidance, guidanceAbove, guidanceBelow } = filled;
  const { paths: count, batchSize, epochs, lr, seed } = filled;
  requireWhole({ steps, 'teacher-steps': teacherSteps, paths: count, 'batch-size': batchSize });
  requirement(!teacher.network.learnsVariance, 'a teacher with a fixed variance', 'a learnt one');
  requirement(!teacher.network.takesCaptions, 'a teacher with labels or without', 'one with captions');
  const paths = new Paths(teacher, steps, { teacherSteps, guidance, guidanceAbove, guidanceBelow });
  const { prepare } = teacher.sampling;
  const own = new DiffusionPipeline(
    student.network,
    { ...student.settings, student: steps },
    prepare ? { prepare } : {},
  );
  const recipe = new DistillRecipe(own, paths, filled, notes);
  const source = new PathSource(paths, count, batchSize, seed);
  return new Trainer(recipe, source, { epochs, lr, limitSeconds });
}

/** @throws FormatError for a checkpoint that is not of a distillation */
export function requireStudentRun({ settings, source }: Checkpoint): void {
  if (settings?.student) return;
  throw new FormatError(`${source}: expected a run of distill, got a model that is not a student`);
}

/**
 * Resumes the run in a checkpoint.
 * @param teacher the same teacher as before
 * @throws FormatError for a file without a run of a student
 */
export function resumeDistill(
  checkpoint: Checkpoint,
  teacher: DiffusionPipeline,
  options: ResumeOptions = {},
): Trainer<DistillRecipe> {
  const { epochs, limitSeconds } = withDefaults('resumeDistill', options, RESUME_DEFAULTS);
  requireStudentRun(checkpoint);
  const student = diffusionOf(checkpoint);
  const settings = settingsOf(checkpoint, DISTILL_SETTINGS);
  const { teacher: name, data } = checkpoint.settings ?? {};
  const notes = { ...(name !== undefined && { teacher: name }), ...(data !== undefined && { data }) };
  return resumeRun(checkpoint, student.network, () =>
    distillTrainer(teacher, student, { ...settings, epochs: epochs ?? settings.epochs }, notes, limitSeconds),
  );
}
