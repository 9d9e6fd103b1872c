/**
 * Recipe of the lecture's diffusion model: `lectureLoss`, and Adam at a constant rate. The test loss is on the first
 * 2,000 test pictures at most, with the same noise after every epoch.
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

export interface LectureSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Adam's learning rate. */
  readonly lr: number;
  /** The times of the loop, rising. */
  readonly schedule: readonly number[];
  /** Whether a t goes on from where the one before it ended: see `lectureLoss`. */
  readonly carry: boolean;
  /** What the shuffle and the noise follow from. */
  readonly seed: Seed;
}

/** The slides' settings. */
export const LECTURE_SETTINGS: LectureSettings = {
  ...defaultsOf(LECTURE_TABLE),
  schedule: [...lectureSchedule()],
  carry: false,
};

export interface TrainLectureOptions extends Partial<LectureSettings> {
  readonly train: Dataset;
  /** Never learnt from. */
  readonly test: Dataset;
  /** Batches from one batch event to the next; 1 by default. The last batch of an epoch has one too. */
  readonly every?: number | undefined;
  /** Ends the run after this time of training; no limit by default. */
  readonly limitSeconds?: number | undefined;
}

export class LectureRecipe implements Recipe {
  readonly streams: Record<'noise', Rng>;

  /** @throws ShapeError for pictures that are not of the model's size */
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

/** A run at its beginning. @throws ValueError, ShapeError */
export function lectureTrainer(model: LectureNetwork, options: TrainLectureOptions): Trainer<LectureRecipe> {
  const filled = withDefaults('trainLecture', options, { ...LECTURE_SETTINGS, ...RUN_DEFAULTS });
  const { train, test, every, limitSeconds, ...settings } = filled;
  const { epochs, lr, batchSize, seed } = settings;
  const recipe = new LectureRecipe(model, { train, test }, settings);
  return new Trainer(recipe, new DataLoader(train, { batchSize, seed }), { epochs, lr, every, limitSeconds });
}

/**
 * Trains the model in place, and yields as it goes.
 * @throws ValueError for settings out of range, ShapeError for pictures that are not of the model's size
 * @throws DivergenceError as `trainDenoiser`
 */
export function* trainLecture(
  model: LectureNetwork,
  options: TrainLectureOptions,
): Generator<TrainEvent, void> {
  yield* train(lectureTrainer(model, options));
}

/**
 * A run that goes on where the file's run was.
 * @throws FormatError for a file that holds no such run, or one on other data
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
