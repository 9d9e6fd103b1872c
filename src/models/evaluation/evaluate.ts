/**
 * Measures the quality of a diffusion model's samples with a classifier that was trained on real pictures. There are
 * three questions. Do the samples show the requested class? How far are their features from those of real pictures? Are
 * the samples copies of training pictures?
 *
 * Every measure is also computed for training pictures, compared with test pictures. A perfect model would have about
 * the same value.
 */
import { type Dataset, pictureSize, type TrainTest, take } from '../../data/dataset.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import { ValueError } from '../../errors.ts';
import { toBytes } from '../../image/bytes.ts';
import { classify, FEATURES, type PictureClassifier, pixelsOf } from '../networks/picture-classifier.ts';
import {
  densityCoverage,
  frechetDistance,
  nearestNeighbours,
  type Points,
  precisionRecall,
} from './metrics.ts';

/** A measure for samples, and for equally many training pictures. Both are compared with the test set. */
export interface AgainstReal {
  /** The measure of the samples. */
  readonly samples: number;
  /** The measure of training pictures. */
  readonly real: number;
}

/** The measures of metrics.ts and those of a classifier. */
export interface Evaluation {
  /** The fraction of the samples with a label that are classified as this label. Null if no sample has a label. */
  readonly conditionalAccuracy: number | null;
  /** The same for each class. */
  readonly conditionalAccuracyByClass: readonly (number | null)[];
  /** The number of samples that are classified as each class. */
  readonly found: readonly number[];
  /** The Fréchet distance of features. */
  readonly frechet: AgainstReal;
  /** The fraction of the pictures among the test pictures, by features. */
  readonly precision: AgainstReal;
  /** The fraction of the test pictures among the pictures, by features. */
  readonly recall: AgainstReal;
  /** More robust than precision: one outlier among the real pictures can raise the precision of noise to 1. */
  readonly density: AgainstReal;
  /** The fraction of the test pictures with a picture nearby, by features. */
  readonly coverage: AgainstReal;
  /**
   * The median Euclidean distance to the nearest training picture, with pixels in [0, 1]: for samples, and for test
   * pictures.
   */
  readonly nearest: AgainstReal;
  /** The index of the nearest training picture, for each of the first 50 samples. */
  readonly neighbours: Uint32Array;
}

/** The number of samples, and of test pictures, in the search for the nearest training picture. */
const QUERIES = 50;

/**
 * Computes all measures of samples.
 * @param pictures the samples, [n, height, width, channels], in [0, 1]
 * @param labels the requested label of each sample, or null
 * @throws ValueError for fewer than 100 samples, or fewer than 100 training or test pictures
 */
export function evaluatePictures(
  classifier: PictureClassifier,
  { train, test }: TrainTest,
  pictures: Float64Array,
  labels: Labels,
): Evaluation {
  const n = labels.length;
  const least = Math.min(n, train.length, test.length);
  if (least < 100) throw new ValueError(`evaluation: expected 100 pictures or more, got ${least}`);
  const ours = classify(classifier, pictures);
  const features = (set: Dataset) => classify(classifier, pixelsOf(take(set, n))).features;
  const points = (values: Float64Array): Points => ({ values, dimension: FEATURES });
  const [samples, real, other] = [ours.features, features(test), features(train)].map(points) as [
    Points,
    Points,
    Points,
  ];
  const [own, floor] = [samples, other].map((set) => ({
    ...precisionRecall(real, set),
    ...densityCoverage(real, set),
  }));
  const classes = [...Array(classifier.sizes.classes).keys()];
  const share = (of: readonly number[]) =>
    of.length === 0 ? null : of.filter((i) => ours.classes[i] === labels[i]).length / of.length;
  const all = [...labels.keys()];
  return {
    conditionalAccuracy: share(all.filter((i) => labels[i] !== null)),
    conditionalAccuracyByClass: classes.map((label) => share(all.filter((i) => labels[i] === label))),
    found: classes.map((label) => ours.classes.filter((found) => found === label).length),
    frechet: { samples: frechetDistance(real, samples), real: frechetDistance(real, other) },
    precision: { samples: own.precision, real: floor.precision },
    recall: { samples: own.recall, real: floor.recall },
    density: { samples: own.density, real: floor.density },
    coverage: { samples: own.coverage, real: floor.coverage },
    ...nearestTraining(train, test, pictures),
  };
}

/** The distances from samples to training pictures, and from test pictures to training pictures. */
function nearestTraining(
  train: Dataset,
  test: Dataset,
  pictures: Float64Array,
): Pick<Evaluation, 'nearest' | 'neighbours'> {
  const dimension = pictureSize(train);
  const known = { values: train.images, dimension };
  const bytes = toBytes(pictures.subarray(0, QUERIES * dimension));
  const samples = nearestNeighbours(known, { values: bytes, dimension });
  const real = nearestNeighbours(known, { values: take(test, QUERIES).images, dimension });
  const median = (distances: Float64Array) =>
    distances.slice().sort()[Math.floor(distances.length / 2)] / 255;
  return {
    nearest: { samples: median(samples.distances), real: median(real.distances) },
    neighbours: samples.indices,
  };
}
