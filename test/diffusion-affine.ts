/**
 * The exact distribution of a sampler's output on Gaussian data. There every sampler is an affine map of its start and
 * of the noise that it draws: out = c + A·x + Σ_j B_j·z_j. So out has mean c and variance A²·start + Σ B_j². One run on
 * a batch of impulses measures c, A and B_j. In the first row start and noise are 0; in the second the start is 1; in
 * each further row one draw is 1.
 */
import { gaussian } from '../src/diffusion/gaussian-mixture.ts';
import type { NoiseLevel } from '../src/diffusion/level.ts';
import { runSampler, type Sampler } from '../src/diffusion/samplers/index.ts';
import type { NoiseSchedule } from '../src/diffusion/schedule.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

/** Draw j is 1 in row 2 + j of the batch, and 0 in the other rows. */
export class Impulses extends Rng {
  draws = 0;

  constructor() {
    super(0);
  }

  override normalInto(out: Tensor): Tensor {
    const values = new Float64Array(out.size);
    values[2 + this.draws++] = 1;
    return out.set(values);
  }
}

export interface Affine {
  readonly c: number;
  readonly A: number;
  /** Σ B_j² */
  readonly noise: number;
}

/** The sampler's map on one-dimensional Gaussian data. It draws at most `draws` times. */
export function affineMap(
  sampler: Sampler,
  schedule: NoiseSchedule,
  mean: number,
  variance: number,
  draws = 0,
): Affine {
  const start = new Float64Array(2 + draws);
  start[1] = 1;
  const rng = new Impulses();
  const model = gaussian([mean], variance).predictor(schedule);
  const x = runSampler(sampler.sample(model, schedule, tensor(start, [2 + draws, 1]), rng));
  if (rng.draws > draws) throw new Error(`the sampler drew ${rng.draws} times, more than ${draws}`);
  const values = x.toTypedArray();
  x.dispose();
  let noise = 0;
  for (let j = 2; j < values.length; j++) noise += (values[j]! - values[0]!) ** 2;
  return { c: values[0]!, A: values[1]! - values[0]!, noise };
}

/** Mean and variance of a map's output, for a start with the given mean and variance. */
export function push({ c, A, noise }: Affine, mean: number, variance: number) {
  return { mean: c + A * mean, variance: A * A * variance + noise };
}

/** Mean and variance of Gaussian data at a level. */
export function marginal({ alpha, sigma }: NoiseLevel, mean: number, variance: number) {
  return { mean: alpha * mean, variance: alpha * alpha * variance + sigma * sigma };
}

/** The least-squares slope of y against x. */
export function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return covariance / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/** The order of convergence: the slope of ln(error) against -ln(steps). */
export function order(steps: readonly number[], error: (steps: number) => number): number {
  return slope(
    steps.map((n) => -Math.log(n)),
    steps.map((n) => Math.log(error(n))),
  );
}
