/**
 * The two-sample test: can a classifier distinguish samples from real pictures? Each sample is paired with a real
 * training picture of the same label. Both have eight bits per pixel. 70 % of the pairs are for training, 10 % are for
 * validation (the choice of the epoch or of the ridge), and 20 % are for the test. Three classifiers are tested:
 *
 *     fresh       a convolutional network with random initial values (detector.ts)
 *     fromJudge   the network of a trained classifier of digits, with a new last layer; all layers are trained
 *     plain       a logistic regression on simple statistics of the pixels
 *
 * The result is the accuracy on the test pairs. 0.5 means that the classifier sees no difference. The accuracy is a
 * lower bound: a network with longer training or with more pictures can reach a higher one. The results are a function
 * of pictures, labels and seed.
 *
 * Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (2017).
 */
import { createDataset, type Dataset, permutation, pictureSize } from '../../data/dataset.ts';
import { ValueError } from '../../errors.ts';
import { runToEnd } from '../../generators.ts';
import { type Defaults, withDefaults } from '../../options.ts';
import type { Seed } from '../../random/rng.ts';
import type { PictureClassifier } from '../networks/picture-classifier.ts';
import { requireFit } from '../networks/picture-classifier.ts';
import { type JudgedPictures, matchLabels, picturesAt, requireSamples } from './judged.ts';
import { sigmoid } from './logistic.ts';
import {
  judgeByNetwork,
  type NetworkProgress,
  type NetworkVerdict,
  type Parts,
  startNetwork,
} from './two-sample-network.ts';
import { judgeByStatistics, type PlainVerdict } from './two-sample-plain.ts';

/** Options of `twoSampleTest`. */
export interface TwoSampleOptions {
  /** The trained classifier for `fromJudge`. Default: `fromJudge` is not tested. */
  readonly judge?: PictureClassifier | undefined;
  /** The number of epochs of each network. Default 12. */
  readonly epochs?: number;
  /** Default 0. */
  readonly seed?: Seed;
}

const DEFAULTS = { judge: undefined, epochs: 12, seed: 0 } as const satisfies Defaults<TwoSampleOptions>;
/** The least number of pairs. Then 20 pairs are for the test. */
export const LEAST_PAIRS = 100;
/** The fractions of the pairs for training and for validation. */
const TRAIN = 0.7;
const CHOOSE = 0.1;

/** A sample of the test part. */
export interface SuspectSample {
  /** Its index among the samples. */
  readonly sample: number;
  /** The probability of the class "sample", predicted by the network `fresh`. */
  readonly probability: number;
}

/** A real picture of the test part. */
export interface GenuinePicture {
  /** Its index in the training set. */
  readonly picture: number;
  /** The probability of the class "real", predicted by the network `fresh`. */
  readonly probability: number;
}

/** The results. */
export interface TwoSampleTest {
  /** The number of pairs in each part: `train` for training, `choose` for validation, `test` for the result. */
  readonly pairs: { readonly train: number; readonly choose: number; readonly test: number };
  /** The result of a new network. */
  readonly fresh: Omit<NetworkVerdict, 'certainty'>;
  /** Null without a judge. */
  readonly fromJudge: Omit<NetworkVerdict, 'certainty'> | null;
  /** The result of a logistic regression on plain statistics. */
  readonly plain: PlainVerdict;
  /** The samples of the test part. The first has the highest probability. */
  readonly suspects: readonly SuspectSample[];
  /** The real pictures of the test part. The first has the highest probability. */
  readonly genuine: readonly GenuinePicture[];
  /** For each sample, the index of its real picture in the training set. */
  readonly matched: Uint32Array;
}

/** The progress of one of the networks. */
export interface TwoSampleProgress extends NetworkProgress {
  readonly classifier: 'fresh' | 'fromJudge';
}

/**
 * Does the test, and yields after every epoch of a network.
 * @param real the training set
 * @throws ValueError for fewer than 100 samples, or if a label has fewer real pictures than samples
 * @throws ShapeError for samples of another size than the real pictures
 */
export function* twoSampleRun(
  samples: JudgedPictures,
  real: Dataset,
  options: TwoSampleOptions = {},
): Generator<TwoSampleProgress, TwoSampleTest> {
  const { judge, epochs, seed } = withDefaults('twoSampleTest', options, DEFAULTS);
  requireSamples('two-sample test', samples, real);
  if (judge) requireFit(judge, real);
  const n = samples.labels.length;
  if (n < LEAST_PAIRS) {
    throw new ValueError(`two-sample test: expected ${LEAST_PAIRS} samples or more, got ${n}`);
  }
  const matched = matchLabels('two-sample test', samples.labels, real, seed);
  const order = permutation(n, `${seed}/split`);
  const [first, second] = [Math.round(TRAIN * n), Math.round((TRAIN + CHOOSE) * n)];
  const split = [order.subarray(0, first), order.subarray(first, second), order.subarray(second)];
  const [train, choose, test] = split.map((part) => paired(samples, real, matched, part));
  const parts = { train, choose, test };
  const plain = judgeByStatistics(parts);
  const fresh = yield* verdictOf('fresh', parts, null, epochs, seed);
  const fromJudge = judge ? yield* verdictOf('fromJudge', parts, judge, epochs, seed) : null;
  const tested = split[2].length;
  const suspects = mostCertain(split[2], fresh.certainty.subarray(0, tested));
  const partners = split[2].map((sample) => matched[sample]);
  const genuine = mostCertain(
    partners,
    fresh.certainty.subarray(tested).map((z) => -z),
  );
  return {
    pairs: { train: first, choose: second - first, test: n - second },
    fresh: without(fresh),
    fromJudge: fromJudge && without(fromJudge),
    plain,
    suspects: suspects.map(({ at, probability }) => ({ sample: at, probability })),
    genuine: genuine.map(({ at, probability }) => ({ picture: at, probability })),
    matched,
  };
}

/** The indices with their probabilities σ(z), sorted from the largest z to the smallest. */
const mostCertain = (indices: Uint32Array, z: Float64Array) =>
  Array.from(indices, (at, i) => ({ at, z: z[i] }))
    .sort((a, b) => b.z - a.z || a.at - b.at)
    .map(({ at, z }) => ({ at, probability: sigmoid(z) }));

/** Does the test without events. @throws as `twoSampleRun` */
export function twoSampleTest(
  samples: JudgedPictures,
  real: Dataset,
  options: TwoSampleOptions = {},
): TwoSampleTest {
  return runToEnd(twoSampleRun(samples, real, options));
}

/** A data set of the samples (class 1) at `indices`, followed by their real pictures (class 0). */
function paired(samples: JudgedPictures, real: Dataset, matched: Uint32Array, indices: Uint32Array): Dataset {
  const size = pictureSize(real);
  const n = indices.length;
  const images = new Uint8Array(2 * n * size);
  images.set(picturesAt(samples.images, size, indices));
  const partners = indices.map((i) => matched[i]);
  images.set(picturesAt(real.images, size, partners), n * size);
  const labels = new Uint8Array(2 * n).fill(1, 0, n);
  const { height, width, channels } = real;
  return createDataset({ name: 'samples and real', height, width, channels, classes: 2, images, labels });
}

function* verdictOf(
  classifier: TwoSampleProgress['classifier'],
  parts: Parts,
  judge: PictureClassifier | null,
  epochs: number,
  seed: Seed,
): Generator<TwoSampleProgress, NetworkVerdict> {
  const network = startNetwork(parts.train, judge, seed);
  try {
    const run = judgeByNetwork(network, parts, epochs, seed);
    for (;;) {
      const { done, value } = run.next();
      if (done) return value;
      yield { classifier, ...value };
    }
  } finally {
    network.dispose();
  }
}

const without = ({ certainty: _, ...rest }: NetworkVerdict): Omit<NetworkVerdict, 'certainty'> => rest;
