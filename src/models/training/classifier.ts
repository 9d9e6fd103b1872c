/**
 * Recipes of the classifiers of clean pictures. The loss is cross-entropy, and the optimizer is Adam. The learning rate
 * follows half a cosine down to 0.
 *
 *     MLP            Each picture is shifted at random by up to two pixels down and across, anew in every epoch.
 *     convolutional  Each picture is also rotated by up to 10° and scaled by 0.9 to 1.1. The learning rate has a
 *                    warm-up. The labels are smoothed. The file has a moving average of the parameters.
 *
 * The test loss is the same cross-entropy, on test pictures that are not augmented.
 */
import type { Checkpoint, CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import { type Dataset, pictureName, type TrainTest } from '../../data/dataset.ts';
import { affineSample, randomAffine } from '../../data/transforms.ts';
import { crossEntropy } from '../../nn/loss.ts';
import type { LrSchedule } from '../../optim/lr-schedule.ts';
import { withDefaults } from '../../options.ts';
import { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { ConvClassifier } from '../networks/conv-classifier.ts';
import type { PictureClassifier } from '../networks/picture-classifier.ts';
import { classifierOf } from '../networks/registry.ts';
import { requirement, requirePictures } from './check.ts';
import { type ClassifierSettings, CrossEntropyRecipe, crossEntropyTrainer } from './cross-entropy.ts';
import type { TrainEvent } from './events.ts';
import type { Trainer } from './loop.ts';
import { warmCosineLr } from './rates.ts';
import { RESUME_DEFAULTS, type ResumeOptions, resumeRun, settingsOf } from './resume.ts';
import { testLoss } from './test-loss.ts';

/** The largest shift in pixels. */
const MOST_SHIFT = 2;
/** Random motions for the convolutional network. 0.08 of the side is about two pixels of 28. */
const MOTION = { degrees: 10, translate: [0.08, 0.08], scale: [0.9, 1.1] } as const;
/** The decay of the moving average of the convolutional classifier. */
export const AVERAGE_DECAY = 0.998;
/** Its smoothing of labels. */
export const LABEL_SMOOTHING = 0.05;
const TEST_BATCH = 250;

/**
 * The recipe of a classifier `module` with these `settings`: of the MLP, and the base class of the convolutional recipe.
 * `streams` has the generator of the pictures' motions, and `ema` the decay of the average, if the recipe has them. `info`
 * is for a file of the run.
 */
export class ClassifierRecipe extends CrossEntropyRecipe {
  readonly streams: Record<string, Rng>;
  readonly ema?: number;
  /** Undefined if there are no test pictures. */
  readonly test?: () => number;

  /**
   * @throws ShapeError for pictures that do not have the model's size
   * @throws ValueError for data with more classes than the model
   */
  constructor(
    readonly module: PictureClassifier,
    readonly settings: ClassifierSettings,
    { train, test }: TrainTest,
  ) {
    super();
    const { sizes } = module;
    const expected = pictureName(sizes);
    requirePictures({ train, test }, expected, (set) => pictureName(set) === expected);
    const most = Math.max(train.classes, test.classes);
    requirement(most <= sizes.classes, `at most ${sizes.classes} classes`, most);
    this.streams = { shifts: new Rng(settings.seed).stream('shifts') };
    if (test.length > 0) this.test = () => testClassifier(module, test, this.labelSmoothing);
  }

  /** Whether the training smooths the labels. */
  get smoothed(): boolean {
    return this.labelSmoothing > 0;
  }

  get info(): CheckpointInfo {
    const { kind, sizes } = this.module;
    const { seed, ...settings } = this.settings;
    return { kind, sizes: { ...sizes }, settings, seed };
  }

  protected logits(images: Tensor): Tensor {
    return this.module.forward(this.moved(images));
  }

  /** The augmented pictures, which are the input of the network in training. */
  protected moved(images: Tensor): Tensor {
    return shifted(images, this.streams.shifts);
  }
}

/** The recipe of the convolutional classifier. */
export class ConvClassifierRecipe extends ClassifierRecipe {
  override readonly streams = { motions: new Rng(this.settings.seed).stream('motions') };
  override readonly ema = AVERAGE_DECAY;
  protected override readonly labelSmoothing = LABEL_SMOOTHING;

  override schedule(lr: number, steps: number): LrSchedule {
    return warmCosineLr(lr, steps, 0);
  }

  protected override moved(images: Tensor): Tensor {
    return randomAffine(images, this.streams.motions, MOTION);
  }
}

/** The mean cross-entropy over a data set. The labels are smoothed as in training. */
function testClassifier(model: PictureClassifier, dataset: Dataset, labelSmoothing: number): number {
  return testLoss(dataset, TEST_BATCH, ({ images, labels }) =>
    crossEntropy(model.forward(images), labels, { labelSmoothing }),
  );
}

/**
 * A new run, with the recipe for this kind of model.
 * @param limitSeconds the time limit of training in seconds. Default: no limit
 * @throws ValueError for settings out of range
 * @throws ShapeError for pictures that do not have the model's size
 */
export function classifierTrainer(
  model: PictureClassifier,
  data: TrainTest,
  settings: ClassifierSettings,
  limitSeconds?: number,
): Trainer<ClassifierRecipe> {
  const Kind = model instanceof ConvClassifier ? ConvClassifierRecipe : ClassifierRecipe;
  return crossEntropyTrainer(new Kind(model, settings, data), data, settings, limitSeconds);
}

/**
 * Trains a classifier of clean pictures in place, and yields the events of the run. It computes no test loss; use
 * `accuracy` after it. If the recipe has a moving average, the model has the averaged parameters at the end. This is
 * also the case if the caller stops early.
 * @throws ValueError for settings out of range
 * @throws ShapeError for pictures that do not have the model's size
 * @throws DivergenceError as `trainDenoiser`
 */
export function* trainClassifier(
  model: PictureClassifier,
  { train, test }: TrainTest,
  settings: ClassifierSettings,
): Generator<TrainEvent, void> {
  const none = { ...test, length: 0 };
  const trainer = classifierTrainer(model, { train, test: none }, settings);
  try {
    yield* trainer.run();
  } finally {
    trainer.ema?.copyTo(model);
    trainer.dispose();
  }
}

/** An object with the names of all settings. A file has a value for each, so the values here are not used. */
const SETTINGS: ClassifierSettings = { epochs: 1, batchSize: 1, lr: 1, seed: 0 };

/**
 * Resumes the run in a checkpoint.
 * @throws FormatError for a file without a run of a classifier, or with a run on other data
 */
export function resumeClassifier(
  checkpoint: Checkpoint,
  data: TrainTest,
  options: ResumeOptions = {},
): Trainer<ClassifierRecipe> {
  const { epochs, limitSeconds } = withDefaults('resumeClassifier', options, RESUME_DEFAULTS);
  const settings = settingsOf(checkpoint, SETTINGS);
  const model = classifierOf(checkpoint);
  return resumeRun(checkpoint, model, () =>
    classifierTrainer(model, data, { ...settings, epochs: epochs ?? settings.epochs }, limitSeconds),
  );
}

/** Shifts each picture by -2 to 2 pixels down and across. New pixels at the border are black. */
function shifted(images: Tensor, rng: Rng): Tensor {
  const size = 2 * MOST_SHIFT + 1;
  const maps = Array.from(rng.bits(images.shape[0]), (word) => {
    const at = Math.floor((word / 2 ** 32) * size * size);
    const [down, across] = [Math.floor(at / size) - MOST_SHIFT, (at % size) - MOST_SHIFT];
    return [1, 0, -across, 0, 1, -down];
  });
  return affineSample(images, maps.flat());
}
