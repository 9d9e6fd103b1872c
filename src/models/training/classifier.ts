/**
 * Recipes of the classifiers of clean pictures: cross-entropy, and Adam at a rate that falls along half a cosine to 0.
 *
 *     MLP            pictures are moved by up to two pixels down and across, anew in every epoch
 *     convolutional  pictures are also turned by up to 10° and scaled by 0.9 to 1.1; the rate is warmed up; the labels
 *                    are smoothed; the file holds a moving average of the parameters
 *
 * The test loss is the same cross-entropy, of the test pictures as they are.
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

const MOST_SHIFT = 2;
/** Moves of up to two pixels of 28. */
const MOTION = { degrees: 10, translate: [0.08, 0.08], scale: [0.9, 1.1] } as const;
const AVERAGE_DECAY = 0.998;
const LABEL_SMOOTHING = 0.05;
const TEST_BATCH = 250;

/** Of the MLP. */
export class ClassifierRecipe extends CrossEntropyRecipe {
  readonly streams: Record<string, Rng>;
  readonly ema?: number;
  /** There is none without test pictures. */
  readonly test?: () => number;

  /** @throws ShapeError for pictures that are not of the model's size, ValueError for more classes */
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

  /** Whether the labels are smoothed in training. */
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

  /** The pictures as they are learnt from. */
  protected moved(images: Tensor): Tensor {
    return shifted(images, this.streams.shifts);
  }
}

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

/** The mean cross-entropy over a set, of labels that are smoothed as in training. */
function testClassifier(model: PictureClassifier, dataset: Dataset, labelSmoothing: number): number {
  return testLoss(dataset, TEST_BATCH, ({ images, labels }) =>
    crossEntropy(model.forward(images), labels, { labelSmoothing }),
  );
}

/**
 * A run at its beginning, by the recipe of the model's kind.
 * @param limitSeconds ends it after this time of training
 * @throws ValueError for settings out of range, ShapeError for pictures that are not of the model's size
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
 * Trains a classifier of clean pictures in place, and yields as it goes. No test loss is computed: `accuracy` counts. In
 * the end, or where its caller stops, the model has the moving average of its parameters if the recipe keeps one.
 * @throws ValueError for settings out of range, ShapeError for pictures that are not of the model's size,
 *   DivergenceError as `trainDenoiser`
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

/** The names of the settings; a file has all of them. */
const SETTINGS: ClassifierSettings = { epochs: 1, batchSize: 1, lr: 1, seed: 0 };

/**
 * A run that goes on where the file's run was.
 * @throws FormatError for a file that holds no such run, or one on other data
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

/** The pictures, each moved by -2 to 2 pixels down and across; what enters is black. */
function shifted(images: Tensor, rng: Rng): Tensor {
  const size = 2 * MOST_SHIFT + 1;
  const maps = Array.from(rng.bits(images.shape[0]), (word) => {
    const at = Math.floor((word / 2 ** 32) * size * size);
    const [down, across] = [Math.floor(at / size) - MOST_SHIFT, (at % size) - MOST_SHIFT];
    return [1, 0, -across, 0, 1, -down];
  });
  return affineSample(images, maps.flat());
}
