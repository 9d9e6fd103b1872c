/**
 * How alike two sets of points are, such as features of samples and of real pictures. All in float64.
 *
 * Fréchet distance of the Gaussians with the sets' means and covariances:
 *     |m1 - m2|² + trace(C1 + C2 - 2·(C1·C2)^(1/2))
 * where the trace of the root is the sum of the roots of the eigenvalues of C1^(1/2)·C2·C1^(1/2). It is biased
 * upwards by finite samples: to be read beside the distance of two real sets of the same sizes.
 *
 * Precision and recall: the share of samples that lie in a ball around a real point which reaches to that point's
 * third neighbour, and the share of real points in such balls around samples. One outlier among the real points has
 * a ball so large that precision may call noise real.
 *
 * Density and coverage mend that. With balls to the fifth neighbour: density is the mean number of real balls that a
 * sample lies in, divided by 5; coverage is the share of real balls with a sample in them. Between two sets of the same
 * distribution density is about 1 and coverage about 1 - 2^-5.
 *
 * Sources: Heusel et al., "GANs trained by a two time-scale update rule" (2017); Kynkäänniemi et al., "Improved
 * precision and recall metric" (2019); Naeem et al., "Reliable fidelity and diversity metrics" (2020).
 */
import { ShapeError } from '../../errors.ts';
import { matrixProduct, symmetricEigen, symmetricRoot } from '../../linear-algebra.ts';

/** n points of D numbers each, row by row. */
export interface Points {
  readonly values: Float64Array | Uint8Array;
  readonly dimension: number;
}

const countOf = ({ values, dimension }: Points): number => values.length / dimension;

/** The mean, and the covariance with n - 1, [D·D]. */
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

/** The Fréchet distance of two sets. @throws ShapeError for sets of other dimensions, or of one point */
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

/** Neighbours that a ball reaches to: for precision and recall, and for density and coverage. */
const NEIGHBOURS = 3;
const DENSITY_NEIGHBOURS = 5;

/** |a_i - b_j|², or something larger than `most` where it is larger. */
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

/** The squared distance of each point to its k-th neighbour in its own set. */
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

/** The share of `asked` that lie in the balls of `points`. */
function covered(points: Points, reach: Float64Array, queries: Points): number {
  let inside = 0;
  const n = countOf(queries);
  for (let i = 0; i < n; i++) {
    if (reach.some((radius, j) => squaredDistance(queries, i, points, j, radius) <= radius)) inside++;
  }
  return inside / n;
}

/** Precision: samples that look real. Recall: real ones that samples come near. */
export function precisionRecall(real: Points, samples: Points): { precision: number; recall: number } {
  return {
    precision: covered(real, radii(real), samples),
    recall: covered(samples, radii(samples), real),
  };
}

/**
 * Density: how densely real points stand around samples. Coverage: the share of real points that have a sample near.
 * @throws ShapeError for five real points or fewer
 */
export function densityCoverage(real: Points, samples: Points): { density: number; coverage: number } {
  const [n, m, k] = [countOf(real), countOf(samples), DENSITY_NEIGHBOURS];
  if (n <= k) throw new ShapeError(`quality: expected more than ${k} real points, got ${n}`);
  const reach = radii(real, k);
  let [inside, reached] = [0, 0];
  for (let i = 0; i < n; i++) {
    let samplesIn = 0;
    for (let j = 0; j < m; j++) {
      if (squaredDistance(real, i, samples, j, reach[i]) <= reach[i]) samplesIn++;
    }
    inside += samplesIn;
    if (samplesIn > 0) reached++;
  }
  return { density: inside / (k * m), coverage: reached / n };
}

/** For each of the asked points the index of the nearest point, and the distance. */
export function nearestNeighbours(
  points: Points,
  asked: Points,
): { readonly indices: Uint32Array; readonly distances: Float64Array } {
  const n = countOf(asked);
  const indices = new Uint32Array(n);
  const distances = new Float64Array(n).fill(Infinity);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < countOf(points); j++) {
      const distance = squaredDistance(asked, i, points, j, distances[i]);
      if (distance < distances[i]) {
        distances[i] = distance;
        indices[i] = j;
      }
    }
  }
  return { indices, distances: distances.map(Math.sqrt) };
}
