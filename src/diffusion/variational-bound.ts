/**
 * The variational bound on the likelihood, in bits per dimension:
 *
 *   -ln p(x0) <= L_T + Σ_t KL(q(x_{t-1}|x_t, x0) || p(x_{t-1}|x_t)) + L_0
 *
 * L_T is the KL divergence of q(x_T|x0) from the standard normal. Each middle term compares two normals, whose means
 * differ by fromX0·(x0 - prediction of x0). L_0 is -ln of the probability of the data's bin, of width `bin`, under a
 * normal (Ho et al. 2020, equation 13), in float64 precision (normal.ts).
 *
 * The variance of p is betaTilde (`small`), beta (`large`), or between them (`learned`): then the model predicts a
 * share that interpolates their logarithms. betaTilde is 0 at the first step; there the value of the second step is
 * used.
 *
 * The schedule must be discrete and variance preserving, because the prior is standard normal.
 * Source: Ho, Jain and Abbeel (2020), section 3.
 */
import { scope } from '../autograd/tape.ts';
import { ValueError } from '../errors.ts';
import { exp, log } from '../math.ts';
import { withDefaults } from '../options.ts';
import type { Rng } from '../random/rng.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkWhole } from './check.ts';
import { combine } from './combine.ts';
import type { DiscreteSchedule } from './discrete-schedule.ts';
import { GREY_BIN, logVariances } from './learned-variance.ts';
import { logDiscretisedNormal } from './normal.ts';
import { conversion, type Predictor } from './prediction.ts';
import { diffuse } from './process.ts';

/** Options of `variationalBound`. */
export interface BoundOptions {
  /** Default `small`. */
  readonly variance?: 'small' | 'large' | 'learned';
  /** The width of the data's bins on [-1, 1]. Default 2/255. */
  readonly bin?: number;
  /** The number of middle terms that are evaluated, evenly spread over 1 to T-1. Default: all. */
  readonly terms?: number;
}

/**
 * The negative variational bound, as the sum of three parts. `prior` is L_T, `diffusion` the sum of the middle terms,
 * and `decoder` L_0.
 */
export interface Bound {
  /** L_T, the sum of the middle terms, and L_0: means over the batch, in bits per dimension. */
  readonly prior: number;
  readonly diffusion: number;
  readonly decoder: number;
  /** The sum of the three. */
  readonly bitsPerDimension: number;
}

/**
 * The bound of a batch x0 [batch, ...] with values in [-1, 1]. Each term has fresh noise and one evaluation of the
 * model.
 * @throws ValueError for a schedule that is not variance preserving, or for `learned` and a model without a variance
 */
export function variationalBound(
  model: Predictor,
  schedule: DiscreteSchedule,
  x0: Tensor,
  rng: Rng,
  options: BoundOptions = {},
): Bound {
  const { variance, bin, terms } = withDefaults('variationalBound', options, {
    variance: 'small',
    bin: GREY_BIN,
    terms: schedule.length - 1,
  });
  if (schedule.scaling !== 'preserving') {
    throw new ValueError(`bound: expected a variance preserving schedule, got ${schedule.name}`);
  }
  if (variance === 'learned' && !model.predictWithVariance) {
    throw new ValueError('bound: expected a model that predicts its variance, got one that does not');
  }
  checkWhole('bound: terms', terms, 1);
  const middle = schedule.length - 1;
  const used = Math.min(terms, middle);
  let sum = 0;
  for (let k = 0; k < used; k++) {
    // The middles of `used` equal parts of 1 to T-1.
    const i = 1 + Math.floor(((k + 0.5) * middle) / used);
    sum += scope(() => term(model, schedule, i, x0, rng, variance, bin));
  }
  const bits = 1 / (x0.size * Math.LN2);
  const prior = priorKl(schedule, x0) * bits;
  const diffusion = ((sum * middle) / used) * bits;
  const decoder = scope(() => term(model, schedule, 0, x0, rng, variance, bin)) * bits;
  return { prior, diffusion, decoder, bitsPerDimension: prior + diffusion + decoder };
}

/** Term i in nats, summed over the batch and its coordinates. */
function term(
  model: Predictor,
  schedule: DiscreteSchedule,
  i: number,
  x0: Tensor,
  rng: Rng,
  variance: NonNullable<BoundOptions['variance']>,
  bin: number,
): number {
  const level = schedule.levels[i];
  const { x } = diffuse(x0, level, rng);
  const learned = variance === 'learned' ? model.predictWithVariance!(x, level.t) : null;
  const prediction = learned?.prediction ?? model.predict(x, level.t);
  const [a, b] = conversion(model.predicts, 'x0', level);
  const data = combine(x0.empty(x0.shape), [a, x], [b, prediction]).toTypedArray();
  const { large, small } = logVariances(schedule, i);
  const shares = learned?.share.toTypedArray();
  const fixed = variance === 'large' ? large : small;
  const logVariance = (j: number) => (shares ? small + shares[j] * (large - small) : fixed);
  const { fromX0 } = schedule.transition(i);
  const values = x0.toTypedArray();
  let sum = 0;
  for (let j = 0; j < values.length; j++) {
    const other = logVariance(j);
    if (i === 0) {
      sum -= logDiscretisedNormal(values[j], data[j], exp(0.5 * other), bin);
    } else {
      const d = fromX0 * (values[j] - data[j]);
      sum += 0.5 * (other - small - 1 + exp(small - other) + d * d * exp(-other));
    }
  }
  return sum;
}

/** KL(q(x_T | x0) || N(0, 1)) in nats, summed over the batch and its coordinates. */
function priorKl(schedule: DiscreteSchedule, x0: Tensor): number {
  const { alpha, sigma } = schedule.levels[schedule.length - 1];
  const variance = sigma * sigma;
  let sum = 0;
  for (const value of x0.toTypedArray()) {
    sum += 0.5 * (alpha * alpha * value * value + variance - 1 - log(variance));
  }
  return sum;
}
