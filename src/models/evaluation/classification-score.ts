/**
 * The classification accuracy score. A classifier is trained only on samples and their labels, and is tested on real
 * pictures. If samples lack variety or show the wrong class, its accuracy is lower.
 *
 * For comparison a second classifier is trained on equally many real pictures with the same labels. Both have the
 * settings of `langevin train classifier --model conv`.
 *
 * Source: Ravuri and Vinyals, "Classification accuracy score for conditional generative models" (2019).
 */
import { createDataset, type Dataset, pictureSize, type TrainTest } from '../../data/dataset.ts';
import { ValueError } from '../../errors.ts';
import { runToEnd } from '../../generators.ts';
import { type Defaults, withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { accuracy } from '../networks/picture-classifier.ts';
import { trainClassifier } from '../training/classifier.ts';
import { classifierSettings, createClassifier } from '../training/classifier-settings.ts';
import { type JudgedPictures, matchLabels, picturesAt, requireSamples } from './judged.ts';
import type { NetworkProgress } from './two-sample-network.ts';
import { type Proportion, proportion } from './wilson.ts';

/** Options of `classificationScore`. */
export interface ClassificationScoreOptions {
  /** The number of epochs. Default: as in `langevin train classifier`, at most 60. */
  readonly epochs?: number | undefined;
  /** Default 0. */
  readonly seed?: Seed;
}

const DEFAULTS = { epochs: undefined, seed: 0 } as const satisfies Defaults<ClassificationScoreOptions>;

/** The accuracies on the real test pictures. */
export interface ClassificationScore {
  /** The number of training pictures of each classifier. */
  readonly pictures: number;
  /** The accuracy of the classifier that was trained on samples. */
  readonly samples: Proportion;
  /** The accuracy of the classifier that was trained on real pictures. */
  readonly real: Proportion;
}

/** The progress of one of the classifiers. */
export interface ScoreProgress extends NetworkProgress {
  readonly learnsFrom: 'samples' | 'real';
}

/**
 * Computes the score, and yields after every epoch of a classifier.
 * @throws ValueError for samples without labels, or if a label has fewer real pictures than samples
 * @throws ShapeError for samples of another size than the real pictures
 */
export function* classificationScoreRun(
  samples: JudgedPictures,
  { train, test }: TrainTest,
  options: ClassificationScoreOptions = {},
): Generator<ScoreProgress, ClassificationScore> {
  const { epochs, seed } = withDefaults('classificationScore', options, DEFAULTS);
  requireSamples('classification score', samples, train);
  const labels = samples.labels.filter((label) => label !== null);
  const pictures = samples.labels.length;
  if (pictures === 0 || labels.length < pictures) {
    throw new ValueError(
      `classification score: expected a label for each sample, got ${labels.length} for ${pictures} samples`,
    );
  }
  const matched = matchLabels('classification score', labels, train, seed);
  const size = pictureSize(train);
  const { height, width, channels, classes } = train;
  const setOf = (name: string, images: Uint8Array): Dataset =>
    createDataset({ name, height, width, channels, classes, images, labels: Uint8Array.from(labels) });
  const [ours, real] = [
    setOf('samples', samples.images),
    setOf('real', picturesAt(train.images, size, matched)),
  ];
  return {
    pictures,
    samples: yield* trainAndTest('samples', ours, test, epochs, seed),
    real: yield* trainAndTest('real', real, test, epochs, seed),
  };
}

/** Computes the score without events. @throws as `classificationScoreRun` */
export function classificationScore(
  samples: JudgedPictures,
  data: TrainTest,
  options: ClassificationScoreOptions = {},
): ClassificationScore {
  return runToEnd(classificationScoreRun(samples, data, options));
}

/** Trains a classifier on `train`, and returns its accuracy on `test`. */
function* trainAndTest(
  learnsFrom: ScoreProgress['learnsFrom'],
  train: Dataset,
  test: Dataset,
  given: number | undefined,
  seed: Seed,
): Generator<ScoreProgress, Proportion> {
  const { height, width, channels, classes } = train;
  const rng = new Rng(seed).stream('classification score');
  const classifier = createClassifier('conv', { height, width, channels, classes }, rng);
  const settings = classifierSettings('conv', train.length, { epochs: given, seed });
  const { epochs } = settings;
  try {
    for (const event of trainClassifier(classifier, { train, test }, settings)) {
      if (event.type !== 'epoch') continue;
      const { epoch, trainLoss: loss, imagesPerSecond } = event;
      yield { learnsFrom, epoch, epochs, loss, imagesPerSecond };
    }
    return proportion(Math.round(accuracy(classifier, test) * test.length), test.length);
  } finally {
    classifier.dispose();
  }
}
