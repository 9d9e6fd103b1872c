/**
 * The classification accuracy score: a classifier that learns from samples and their labels alone, tested on real
 * pictures. What samples lack, or label wrongly, it does not learn. Beside it stands the same classifier after as many
 * real training pictures with the same labels. Both have the settings of `langevin train classifier`.
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

export interface ClassificationScoreOptions {
  /** Passes over the pictures; by default as many as `langevin train classifier` takes, at most 60. */
  readonly epochs?: number | undefined;
  /** 0 by default. */
  readonly seed?: Seed;
}

const DEFAULTS = { epochs: undefined, seed: 0 } as const satisfies Defaults<ClassificationScoreOptions>;

/** Accuracies on the real test pictures. */
export interface ClassificationScore {
  /** Pictures that each classifier learnt from. */
  readonly pictures: number;
  readonly samples: Proportion;
  readonly real: Proportion;
}

/** A classifier at work. */
export interface ScoreProgress extends NetworkProgress {
  readonly learnsFrom: 'samples' | 'real';
}

/**
 * The score, which yields after every epoch of a classifier.
 * @throws ValueError for samples without labels, or fewer real pictures of a label than samples; ShapeError for pictures
 *   of another size
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
    samples: yield* learnt('samples', ours, test, epochs, seed),
    real: yield* learnt('real', real, test, epochs, seed),
  };
}

/** The score at once: see `classificationScoreRun`. @throws what it throws */
export function classificationScore(
  samples: JudgedPictures,
  data: TrainTest,
  options: ClassificationScoreOptions = {},
): ClassificationScore {
  return runToEnd(classificationScoreRun(samples, data, options));
}

/** What a classifier that learns from `train` alone reaches on `test`. */
function* learnt(
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
