/**
 * Recipe of the lecture's diffusion model. The loss is `lectureLoss`, and the optimizer is Adam with a constant learning
 * rate. The test loss uses at most 2,000 test pictures, the first ones. Its noise is the same after every epoch.
 */
import type { Checkpoint, CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import { type Dataset, pictureSize, type TrainTest } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import { withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { testLecture } from '../lecture/figures.ts';
import { LectureNetwork, lectureLoss, lectureOf, lectureSchedule } from '../lecture/lecture.ts';
import { defaultsOf } from '../setting.ts';
import { LECTURE_TABLE } from '../settings.ts';
import { requirePictures } from './check.ts';
import type { TrainEvent } from './events.ts';
import { Trainer, train } from './loop.ts';
import { type Recipe, RUN_DEFAULTS } from './recipe.ts';
import { RESUME_DEFAULTS, type ResumeOptions, resumeRun, settingsOf } from './resume.ts';

/** The settings of the training of the lecture's model. */
export interface LectureSettings {
  /** Passes over the training pictures. */
  readonly epochs: number;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Adam's learning rate. */
  readonly lr: number;
  /** The times s of the loop, in increasing order. */
  readonly schedule: readonly number[];
  /** Whether each t starts from the `denoised` of the t before it. See `lectureLoss`. */
  readonly carry: boolean;
  /** The seed of the shuffle and of the noise. */
  readonly seed: Seed;
}

/** The settings in the slides. */
export const LECTURE_SETTINGS: LectureSettings = {
  ...defaultsOf(LECTURE_TABLE),
  schedule: [...lectureSchedule()],
  carry: false,
};

/** Options of `trainLecture`: pictures and settings. */
export interface TrainLectureOptions extends Partial<LectureSettings> {
  /** The pictures that the model learns from. */
  readonly train: Dataset;
  /** The test set. The model is not trained on it. */
  readonly test: Dataset;
  /** The number of batches per batch event. The last batch of an epoch always has an event. Default 1. */
  readonly every?: number | undefined;
  /** The time limit of training in seconds. Default: no limit. */
  readonly limitSeconds?: number | undefined;
}

/** The recipe of the lecture's network `module`, trained on `data` with these `settings`. */
export class LectureRecipe implements Recipe {
  readonly streams: Record<'noise', Rng>;

  /** @throws ShapeError for pictures that do not have the model's size */
  constructor(
    readonly module: LectureNetwork,
    readonly data: TrainTest,
    readonly settings: LectureSettings,
  ) {
    const { dimension } = module;
    requirePictures(data, `${dimension} pixels`, (set) => pictureSize(set) === dimension);
    this.streams = { noise: new Rng(settings.seed).stream('training noise') };
  }

  get info(): CheckpointInfo {
    const { seed, ...settings } = this.settings;
    const { dimension, hidden } = this.module;
    return { kind: LectureNetwork.kind, sizes: { dimension, hidden }, settings, seed };
  }

  loss({ images }: Batch): Tensor {
    const { schedule, carry } = this.settings;
    return lectureLoss((x, t) => this.module.at(x, t), images, this.streams.noise, { schedule, carry });
  }

  test(): number {
    const { schedule, carry, seed } = this.settings;
    return testLecture(this.module, this.data.test, seed, { schedule, carry });
  }
}

/**
 * A new run.
 * @throws ValueError for settings out of range
 * @throws ShapeError for pictures that do not have the model's size
 */
export function lectureTrainer(model: LectureNetwork, options: TrainLectureOptions): Trainer<LectureRecipe> {
  const filled = withDefaults('trainLecture', options, { ...LECTURE_SETTINGS, ...RUN_DEFAULTS });
  const { train, test, every, limitSeconds, ...settings } = filled;
  const { epochs, lr, batchSize, seed } = settings;
  const recipe = new LectureRecipe(model, { train, test }, settings);
  return new Trainer(recipe, new DataLoader(train, { batchSize, seed }), { epochs, lr, every, limitSeconds });
}

/** The hidden units of the lecture's network. */
const HIDDEN = 400;

/**
 * A run of a new network at its beginning. The initial values follow from the seed.
 * @throws ValueError, ShapeError
 */
export function newLectureTrainer(
  options: TrainLectureOptions & Pick<LectureSettings, 'seed'>,
): Trainer<LectureRecipe> {
  const rng = new Rng(options.seed).stream('initial values');
  return lectureTrainer(new LectureNetwork(pictureSize(options.train), HIDDEN, rng), options);
}

/**
 * Trains the model in place, and yields the events of the run.
 * @throws ValueError for settings out of range
 * @throws ShapeError for pictures that do not have the model's size
 * @throws DivergenceError as `trainDenoiser`
 */
export function* trainLecture(
  model: LectureNetwork,
  options: TrainLectureOptions,
): Generator<TrainEvent, void> {
  yield* train(lectureTrainer(model, options));
}

/**
 * Resumes the run in a checkpoint.
 * @throws FormatError for a file without a run of the lecture's model, or with a run on other data
 */
export function resumeLecture(
  checkpoint: Checkpoint,
  data: TrainTest,
  options: ResumeOptions = {},
): Trainer<LectureRecipe> {
  const { epochs, limitSeconds } = withDefaults('resumeLecture', options, RESUME_DEFAULTS);
  const settings = settingsOf(checkpoint, LECTURE_SETTINGS);
  const model = lectureOf(checkpoint);
  return resumeRun(checkpoint, model, () =>
    lectureTrainer(model, { ...data, ...settings, epochs: epochs ?? settings.epochs, limitSeconds }),
  );
}
