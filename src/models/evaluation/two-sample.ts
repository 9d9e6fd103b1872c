/**
 * The two-sample test: can a classifier tell samples and real pictures apart? Each sample is paired with a real training
 * picture of the same label, both in eight bits. 70 % of the pairs train, 10 % choose the epoch (or the ridge), and
 * 20 % test. The accuracy on the test pairs is measured for three classifiers. 0.5 is chance:
 *
 *     fresh       a convolutional network that starts anew (detector.ts)
 *     fromJudge   the network of a trained classifier of digits, with a new last layer; all of it is trained
 *     plain       logistic regression on plain statistics of a picture
 *
 * Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (2017). An accuracy is a lower bound of what the
 * best classifier reaches: a network that is trained longer, or on more pictures, may tell more.
 *
 * The same pictures, labels and seed give the same figures.
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

export interface TwoSampleOptions {
  /** The trained classifier that the second network starts from; without it there is none. */
  readonly judge?: PictureClassifier | undefined;
  /** Passes of each network over the training part; 12 by default. */
  readonly epochs?: number;
  /** 0 by default. */
  readonly seed?: Seed;
}

const DEFAULTS = { judge: undefined, epochs: 12, seed: 0 } as const satisfies Defaults<TwoSampleOptions>;
/** Pairs that the test needs: 20 of them are test pairs, which is little enough. */
export const LEAST_PAIRS = 100;
const TRAIN = 0.7;
const CHOOSE = 0.1;

/** A sample of the test part, and how certain the networks are that it is one. */
export interface Suspect {
  /** Its index among the samples. */
  readonly sample: number;
  /** The probability of "sample" by the fresh network. */
  readonly probability: number;
}

/** A real picture of the test part, and how certain the fresh network is that it is one. */
export interface Genuine {
  /** Its index in the training set. */
  readonly picture: number;
  /** The probability of "real". */
  readonly probability: number;
}

export interface TwoSampleTest {
  /** Pairs of a sample and a real picture in each part. */
  readonly pairs: { readonly train: number; readonly choose: number; readonly test: number };
  readonly fresh: Omit<NetworkVerdict, 'certainty'>;
  /** Null without a judge. */
  readonly fromJudge: Omit<NetworkVerdict, 'certainty'> | null;
  readonly plain: PlainVerdict;
  /** Samples of the test part, those that the fresh network is most certain of first. */
  readonly suspects: readonly Suspect[];
  /** Real pictures of the test part, those that it is most certain are real first. */
  readonly genuine: readonly Genuine[];
  /** The real picture of each sample, an index of the training set. */
  readonly matched: Uint32Array;
}

/** A network at work. */
export interface TwoSampleProgress extends NetworkProgress {
  readonly classifier: 'fresh' | 'fromJudge';
}

/**
 * The test, which yields after every epoch of a network.
 * @param real the training set
 * @throws ValueError for fewer than 100 samples, or fewer real pictures of a label than samples; ShapeError for pictures
 *   of another size
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

/** σ(z) of each of `indices`, the largest z first. */
const mostCertain = (indices: Uint32Array, z: Float64Array) =>
  Array.from(indices, (at, i) => ({ at, z: z[i] }))
    .sort((a, b) => b.z - a.z || a.at - b.at)
    .map(({ at, z }) => ({ at, probability: sigmoid(z) }));

/** The test at once: see `twoSampleRun`. @throws what it throws */
export function twoSampleTest(
  samples: JudgedPictures,
  real: Dataset,
  options: TwoSampleOptions = {},
): TwoSampleTest {
  return runToEnd(twoSampleRun(samples, real, options));
}

/** The samples (class 1) at `indices`, then their real pictures (class 0). */
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
