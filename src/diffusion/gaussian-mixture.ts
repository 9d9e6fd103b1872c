/**
 * Data with known marginals: mixtures of Gaussians, Σ w_k·N(mean_k, variance_k), with a variance for each coordinate.
 * At a noise level the data are a mixture of N(alpha·mean_k, V_k), with V_k = alpha²·variance_k + sigma². So the
 * optimal predictor has a closed form:
 *
 *   E[x0 | x] = Σ r_k(x)·(mean_k + alpha·variance_k/V_k·(x - alpha·mean_k)),  r_k ∝ w_k·N(x; alpha·mean_k, V_k)
 *
 * With one component the data are Gaussian, and each sampler is an affine map. With components of variance 0 the
 * mixture is a finite data set, as if a model had memorised it. The code uses ops only, so gradients and divergences
 * are available on both backends.
 *
 * x is [batch, ...]. Each sample has as many numbers as the mixture has coordinates.
 */
import { ShapeError, ValueError } from '../errors.ts';
import { log } from '../math.ts';
import type { Rng } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import { cat } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NoiseLevel } from './level.ts';
import type { Predictor } from './prediction.ts';
import type { NoiseSchedule } from './schedule.ts';

/** One Gaussian of a mixture. */
export interface Component {
  /** Its weight, > 0. The mixture divides by the sum of the weights. */
  readonly weight: number;
  /** [coordinates] */
  readonly mean: ArrayLike<number>;
  /** One variance for all coordinates, or one for each; >= 0. */
  readonly variance: number | ArrayLike<number>;
}

const CLEAN: NoiseLevel = { t: 0, alpha: 1, sigma: 0 };

/** A mixture of Gaussians as data. Its noised densities and its best predictions are known in closed form. */
export class GaussianMixture {
  /** The number of coordinates. */
  readonly dimension: number;
  /** The weights of the components. Their sum is 1. */
  readonly weights: readonly number[];
  /** The mean of each component, [components][dimension]. */
  readonly means: readonly Float64Array[];
  /** The variances of each component, [components][dimension]. */
  readonly variances: readonly Float64Array[];

  /**
   * @throws ValueError for no component, a weight that is not > 0, or a variance below 0
   * @throws ShapeError if the components have different numbers of coordinates
   */
  constructor(components: readonly Component[]) {
    if (components.length === 0) throw new ValueError('mixture: expected at least one component, got none');
    this.dimension = components[0].mean.length;
    const total = components.reduce((sum, { weight }) => sum + weight, 0);
    this.weights = components.map(({ weight }) => weight / total);
    this.means = components.map(({ mean }) => this.sized(Float64Array.from(mean)));
    this.variances = components.map(({ variance }) =>
      this.sized(
        typeof variance === 'number'
          ? new Float64Array(this.dimension).fill(variance)
          : Float64Array.from(variance),
      ),
    );
    if (!components.every(({ weight }) => weight > 0 && weight < Infinity)) {
      throw new ValueError(`mixture: expected weights > 0, got ${components.map(({ weight }) => weight)}`);
    }
    if (!this.variances.every((v) => v.every((value) => value >= 0 && value < Infinity))) {
      throw new ValueError('mixture: expected variances >= 0');
    }
  }

  private sized(values: Float64Array): Float64Array {
    if (values.length === this.dimension) return values;
    throw new ShapeError(`mixture: expected ${this.dimension} coordinates, got ${values.length}`);
  }

  /** E[x0 | x], of x's shape: the optimal prediction of the data. */
  denoise(x: Tensor, level: NoiseLevel): Tensor {
    const { alpha, sigma } = level;
    const flat = this.flat(x);
    const shares = this.weights.length === 1 ? null : this.posterior(flat, level).share;
    let sum: Tensor | null = null;
    for (const [k, mean] of this.means.entries()) {
      // mean + g·(x - alpha·mean), with g = alpha·variance/V
      const gain = this.variances[k].map((v) => (alpha * v) / (alpha * alpha * v + sigma * sigma));
      const shift = mean.map((m, j) => m * (1 - alpha * gain[j]));
      const own = flat.mul(tensor(gain)).add(tensor(shift));
      const part = shares ? own.mul(shares.slice([0, k], [flat.shape[0], k + 1])) : own;
      sum = sum ? sum.add(part) : part;
    }
    return sum!.reshape(x.shape);
  }

  /** ln p(x) at a level, [batch]. Default: the level of the data without noise. */
  logDensity(x: Tensor, level: NoiseLevel = CLEAN): Tensor {
    return this.posterior(this.flat(x), level).logDensity;
  }

  /** The gradient of ln p(x) at a level with sigma > 0, of x's shape: (alpha·E[x0|x] - x)/sigma². */
  score(x: Tensor, level: NoiseLevel): Tensor {
    const inverse = 1 / (level.sigma * level.sigma);
    return this.denoise(x, level)
      .mul(level.alpha * inverse)
      .sub(x.mul(inverse));
  }

  /** The optimal predictor on a schedule. */
  predictor(schedule: NoiseSchedule): Predictor {
    return { predicts: 'x0', predict: (x, t) => this.denoise(x, schedule.level(t)) };
  }

  /** n samples of the data, [n, dimension]. */
  sample(n: number, rng: Rng): Tensor {
    const noise = rng.normal([n, this.dimension]).toTypedArray();
    const choice = rng.uniform([n]).toTypedArray();
    const values = Float64Array.from(noise, (z, at) => {
      const i = Math.floor(at / this.dimension);
      const j = at - i * this.dimension;
      let k = 0;
      for (let left = choice[i]; k < this.weights.length - 1; k++) if ((left -= this.weights[k]) < 0) break;
      return this.means[k][j] + Math.sqrt(this.variances[k][j]) * z;
    });
    return tensor(values, [n, this.dimension]);
  }

  /** Mean and variance of each coordinate of the data. */
  moments(): { mean: Float64Array; variance: Float64Array } {
    const expected = (f: (k: number, j: number) => number) =>
      Float64Array.from({ length: this.dimension }, (_, j) =>
        this.weights.reduce((sum, w, k) => sum + w * f(k, j), 0),
      );
    const mean = expected((k, j) => this.means[k][j]);
    const variance = expected((k, j) => {
      const d = this.means[k][j] - mean[j];
      return this.variances[k][j] + d * d;
    });
    return { mean, variance };
  }

  /** r_k(x), [batch, components], and ln p(x), [batch]. The largest exponent is subtracted, so nothing overflows. */
  private posterior(flat: Tensor, { alpha, sigma }: NoiseLevel): { share: Tensor; logDensity: Tensor } {
    const logs = this.means.map((mean, k) => {
      const V = this.variances[k].map((v) => alpha * alpha * v + sigma * sigma);
      if (V.some((v) => v === 0)) throw new ValueError('mixture: expected sigma > 0 if a variance is 0');
      const norm = V.reduce((sum, v) => sum + log(2 * Math.PI * v), 0);
      const d = flat.sub(tensor(mean.map((m) => alpha * m)));
      const distance = d
        .mul(d)
        .mul(tensor(V.map((v) => -0.5 / v)))
        .sum(1, { keepDims: true });
      return distance.add(log(this.weights[k]) - 0.5 * norm);
    });
    const all = cat(logs, 1);
    const most = all.detach().max(1, { keepDims: true });
    const relative = all.sub(most).exp();
    const total = relative.sum(1, { keepDims: true });
    return { share: relative.div(total), logDensity: total.log().add(most).reshape([flat.shape[0]]) };
  }

  private flat(x: Tensor): Tensor {
    const batch = x.shape[0] ?? 1;
    if (x.size !== batch * this.dimension) {
      throw new ShapeError(
        `mixture: expected samples of ${this.dimension} coordinates, got a batch [${x.shape}]`,
      );
    }
    return x.reshape([batch, this.dimension]);
  }
}

/** Gaussian data with a variance for each coordinate. */
export function gaussian(mean: ArrayLike<number>, variance: number | ArrayLike<number>): GaussianMixture {
  return new GaussianMixture([{ weight: 1, mean, variance }]);
}
