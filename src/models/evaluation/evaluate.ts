/**
 * A diffusion model's pictures in figures, by a classifier that was trained on real ones: whether they show what was
 * asked for, how far their features are from those of real pictures, and whether they were learnt by heart. Every
 * distance stands beside the same distance between real pictures, its floor.
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

/** A figure for samples, and for as many real pictures of the training set, both against the test set. */
export interface AgainstReal {
  readonly samples: number;
  readonly real: number;
}

export interface Evaluation {
  /** The share of samples that are classified as asked; null where nothing was asked. */
  readonly conditionalAccuracy: number | null;
  /** The same for each class. */
  readonly conditionalAccuracyByClass: readonly (number | null)[];
  /** How many samples each class was found in. */
  readonly found: readonly number[];
  readonly frechet: AgainstReal;
  readonly precision: AgainstReal;
  readonly recall: AgainstReal;
  /** Beside precision, which an outlier among the real pictures may raise to 1 for noise. */
  readonly density: AgainstReal;
  readonly coverage: AgainstReal;
  /** Median distance, in grey levels of 0 to 1 over all pixels, to the nearest training picture: of samples, and of test pictures. */
  readonly nearest: AgainstReal;
  /** Training pictures nearest to the first samples. */
  readonly neighbours: Uint32Array;
}

/** Samples, and test pictures, whose nearest training picture is looked for. */
const ASKED = 50;

/**
 * @param pictures of the model, [n, height, width, channels] in 0 to 1
 * @param labels that were asked for, one a picture
 * @throws ValueError for fewer than 100 pictures, of samples or of real ones
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
    ...byHeart(train, test, pictures),
  };
}

/** How near samples come to training pictures, and how near test pictures do. */
function byHeart(
  train: Dataset,
  test: Dataset,
  pictures: Float64Array,
): Pick<Evaluation, 'nearest' | 'neighbours'> {
  const dimension = pictureSize(train);
  const known = { values: train.images, dimension };
  const bytes = toBytes(pictures.subarray(0, ASKED * dimension));
  const samples = nearestNeighbours(known, { values: bytes, dimension });
  const real = nearestNeighbours(known, { values: take(test, ASKED).images, dimension });
  const median = (distances: Float64Array) =>
    distances.slice().sort()[Math.floor(distances.length / 2)] / 255;
  return {
    nearest: { samples: median(samples.distances), real: median(real.distances) },
    neighbours: samples.indices,
  };
}
