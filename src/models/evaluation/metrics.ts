/**
 * Measures of the difference between two sets of points, such as features of samples and of real pictures. All are
 * computed in float64.
 *
 * Fréchet distance. Each set is replaced by the Gaussian with its mean m and its covariance C. The distance is
 *
 *     |m1 - m2|² + trace(C1 + C2 - 2·(C1·C2)^(1/2))
 *
 * The trace of the root is the sum of the square roots of the eigenvalues of C1^(1/2)·C2·C1^(1/2). For finite sets the
 * distance is biased upwards. So compare it with the distance between two real sets of the same sizes.
 *
 * Precision and recall. Each point has a ball whose radius is the distance to its third-nearest neighbour in its own
 * set. Precision is the fraction of samples that are in the ball of a real point. Recall is the fraction of real points
 * that are in the ball of a sample. A real outlier has a very large ball, so noise can have a high precision.
 *
 * Density and coverage do not have this problem. Here the balls reach to the fifth-nearest neighbour. Each sample is in
 * a number of real balls. Density is the mean of this number over the samples, divided by 5. Coverage is the fraction
 * of real balls that contain at least one sample. For two sets of the same distribution, density is about 1 and
 * coverage is about 1 - 2^-5.
 *
 * Sources: Heusel et al., "GANs trained by a two time-scale update rule" (2017); Kynkäänniemi et al., "Improved
 * precision and recall metric" (2019); Naeem et al., "Reliable fidelity and diversity metrics" (2020).
 */
import { ShapeError } from '../../errors.ts';
import { matrixProduct, symmetricEigen, symmetricRoot } from '../../linear-algebra.ts';

/** n points of D = `dimension` numbers each, stored row by row. */
export interface Points {
  /** [n, dimension]. */
  readonly values: Float64Array | Uint8Array;
  /** D, the number of coordinates of a point. */
  readonly dimension: number;
}

const countOf = ({ values, dimension }: Points): number => values.length / dimension;

/** The mean [D] and the covariance [D·D]. The covariance has the divisor n - 1. */
function moments(points: Points): { mean: Float64Array; covariance: Float64Array } {
  const { values, dimension: D } = points;
  const n = countOf(points);
  if (!Number.isInteger(n) || n < 2) throw new ShapeError(`quality: expected two points or more, got ${n}`);
  const mean = new Float64Array(D);
  for (let i = 0; i < values.length; i++) mean[i % D] += values[i] / n;
  const covariance = new Float64Array(D * D);
  for (let p = 0; p < n; p++) {
    for (let i = 0; i < D; i++) {
      const a = (values[p * D + i] - mean[i]) / (n - 1);
      for (let j = 0; j < D; j++) covariance[i * D + j] += a * (values[p * D + j] - mean[j]);
    }
  }
  return { mean, covariance };
}

/**
 * The Fréchet distance of two sets.
 * @throws ShapeError for sets of different dimensions, or a set with fewer than two points
 */
export function frechetDistance(a: Points, b: Points): number {
  const D = a.dimension;
  if (b.dimension !== D) throw new ShapeError(`quality: expected points of ${D} numbers, got ${b.dimension}`);
  const [x, y] = [moments(a), moments(b)];
  const half = symmetricRoot(x.covariance, D);
  const { values } = symmetricEigen(matrixProduct(matrixProduct(half, y.covariance, D), half, D), D);
  let distance = 0;
  for (let i = 0; i < D; i++) {
    const gap = x.mean[i] - y.mean[i];
    distance += gap * gap + x.covariance[i * (D + 1)] + y.covariance[i * (D + 1)];
    distance -= 2 * Math.sqrt(Math.max(0, values[i]));
  }
  return distance;
}

/** The neighbour at a ball's radius, for precision and recall. */
const NEIGHBOURS = 3;
/** The neighbour at a ball's radius, for density and coverage. */
const DENSITY_NEIGHBOURS = 5;

/** |a_i - b_j|². If this is larger than `most`, the result may be any number larger than `most`. */
function squaredDistance(a: Points, i: number, b: Points, j: number, most = Infinity): number {
  const D = a.dimension;
  const [x, y] = [a.values, b.values];
  let sum = 0;
  for (let k = 0; k < D && sum <= most; ) {
    for (const end = Math.min(D, k + 32); k < end; k++) {
      const gap = x[i * D + k] - y[j * D + k];
      sum += gap * gap;
    }
  }
  return sum;
}

/** The squared distance of each point to its k-th nearest neighbour in the same set, k = `neighbours`. */
function radii(points: Points, neighbours = NEIGHBOURS): Float64Array {
  const n = countOf(points);
  return Float64Array.from({ length: n }, (_, i) => {
    const nearest = new Float64Array(neighbours).fill(Infinity);
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      let distance = squaredDistance(points, i, points, j);
      for (let k = 0; k < neighbours; k++) {
        const kept = nearest[k];
        nearest[k] = Math.min(kept, distance);
        distance = Math.max(kept, distance);
      }
    }
    return nearest[neighbours - 1];
  });
}

/**
 * The fraction of `queries` that are in the ball of at least one of `points`.
 * @param squaredRadii the squared radius of each ball
 */
function covered(points: Points, squaredRadii: Float64Array, queries: Points): number {
  let inside = 0;
  const n = countOf(queries);
  for (let i = 0; i < n; i++) {
    if (squaredRadii.some((radius, j) => squaredDistance(queries, i, points, j, radius) <= radius)) inside++;
  }
  return inside / n;
}

/** Precision measures the quality of the samples. Recall measures their variety. Both are in [0, 1]. */
export function precisionRecall(real: Points, samples: Points): { precision: number; recall: number } {
  return {
    precision: covered(real, radii(real), samples),
    recall: covered(samples, radii(samples), real),
  };
}

/**
 * Density measures the quality of the samples, and can be larger than 1. Coverage measures their variety, in [0, 1].
 * @throws ShapeError for five real points or fewer
 */
export function densityCoverage(real: Points, samples: Points): { density: number; coverage: number } {
  const [n, m, k] = [countOf(real), countOf(samples), DENSITY_NEIGHBOURS];
  if (n <= k) throw new ShapeError(`quality: expected more than ${k} real points, got ${n}`);
  const squaredRadii = radii(real, k);
  let [inside, reached] = [0, 0];
  for (let i = 0; i < n; i++) {
    let samplesIn = 0;
    for (let j = 0; j < m; j++) {
      if (squaredDistance(real, i, samples, j, squaredRadii[i]) <= squaredRadii[i]) samplesIn++;
    }
    inside += samplesIn;
    if (samplesIn > 0) reached++;
  }
  return { density: inside / (k * m), coverage: reached / n };
}

/** For each query: the index of the nearest one of `points`, and the Euclidean distance to it. */
export function nearestNeighbours(
  points: Points,
  queries: Points,
): { readonly indices: Uint32Array; readonly distances: Float64Array } {
  const n = countOf(queries);
  const indices = new Uint32Array(n);
  const distances = new Float64Array(n).fill(Infinity);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < countOf(points); j++) {
      const distance = squaredDistance(queries, i, points, j, distances[i]);
      if (distance < distances[i]) {
        distances[i] = distance;
        indices[i] = j;
      }
    }
  }
  return { indices, distances: distances.map(Math.sqrt) };
}
