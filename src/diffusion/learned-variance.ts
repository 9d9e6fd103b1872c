/**
 * A learnt variance, and the hybrid loss that trains it: L_simple + lambda·L_vlb. variational-bound.ts has the terms of
 * the bound. The network's output has two halves: the prediction, and the share of ln(beta) in the log variance. The
 * log variance is share·ln(beta) + (1 - share)·ln(betaTilde). betaTilde is 0 at the first step; there the value of the
 * second step is used.
 *
 * The last term of the bound needs a derivative here. So it uses Φ(z) = (1 + tanh(√(2/π)·(z + 0.044715·z³)))/2, which
 * differs from the normal distribution function by at most 2e-4.
 *
 * Source: Nichol and Dhariwal, "Improved denoising diffusion probabilistic models" (2021), section 3.1.
 */
import { ValueError } from '../errors.ts';
import { log } from '../math.ts';
import { withDefaults } from '../options.ts';
import type { Rng } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import { mse } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DiscreteSchedule } from './discrete-schedule.ts';
import { type Network, Objective, sameTime, type TimeSampling } from './objective.ts';
import { checkPrediction, conversion, type Prediction, type Predictor, predictor } from './prediction.ts';
import { diffuseEach, perSample } from './process.ts';

/** The width of one of 256 grey levels on [-1, 1]. */
export const GREY_BIN = 2 / 255;

/** ln(beta) and ln(betaTilde) of a step: the learnt log variance is between them. */
export function logVariances(schedule: DiscreteSchedule, i: number): { large: number; small: number } {
  const { beta } = schedule.transition(i);
  return { large: log(beta), small: log(schedule.transition(Math.max(i, 1)).variance) };
}

/**
 * Splits a network's output [batch, ..., 2·channels] along its last axis in two halves: the prediction and v. The share of
 * ln(beta) in the log variance is (v + 1)/2 (Nichol and Dhariwal 2021, equation 15, for outputs in [-1, 1]).
 * @throws ValueError for an odd number of channels
 */
export function splitVariance(output: Tensor): { prediction: Tensor; share: Tensor } {
  const axis = output.rank - 1;
  const channels = output.shape[axis] ?? 0;
  if (output.rank < 2 || channels % 2 !== 0) {
    throw new ValueError(
      `learnt variance: expected an output [batch, ..., 2·channels], got [${output.shape}]`,
    );
  }
  const [prediction, v] = output.split(channels / 2, axis);
  return { prediction, share: v.add(1).mul(0.5) };
}

/** The predictor of a network with doubled output. */
export function learnedVariancePredictor(network: Network, predicts: Prediction): Predictor {
  const predictWithVariance = (x: Tensor, t: number) => splitVariance(network(x, sameTime(x, t)));
  return { ...predictor(predicts, (x, t) => predictWithVariance(x, t).prediction), predictWithVariance };
}

/** Options of `hybridLoss`. */
export interface HybridLossOptions {
  /** What the network predicts. Default `eps`. */
  readonly predicts?: Prediction;
  /** Default `uniform`. */
  readonly times?: TimeSampling;
  /** The factor of the bound, which is in bits per dimension. Default 0.001. */
  readonly lambda?: number;
  /** The width of a grey's bin in the bound. Default `GREY_BIN`. */
  readonly bin?: number;
}

/**
 * The hybrid loss for a learnt variance, L_simple + lambda·L_vlb. The gradient of the bound goes only to the variance
 * (Nichol and Dhariwal 2021, equation 16). The network's output has twice the channels of x0 [batch, ..., channels].
 * @throws ValueError for an unknown prediction
 */
export function hybridLoss(
  network: Network,
  schedule: DiscreteSchedule,
  x0: Tensor,
  rng: Rng,
  options: HybridLossOptions = {},
): Tensor {
  const defaults = { predicts: 'eps', times: 'uniform', lambda: 0.001, bin: GREY_BIN } as const;
  const { predicts: kind, times: sampling, lambda, bin } = withDefaults('hybridLoss', options, defaults);
  const predicts = checkPrediction(kind);
  const objective = new Objective(schedule, { predicts, times: sampling });
  const times = objective.times(x0.shape[0] ?? 1, rng);
  const levels = Array.from(times, (t) => schedule.level(t));
  const eps = rng.normalInto(x0.empty(x0.shape));
  const x = diffuseEach(x0, levels, eps);
  const { prediction, share } = splitVariance(network(x, times));
  const simple = mse(prediction, objective.target(x0, eps, levels));
  const pairs = levels.map((level) => conversion(predicts, 'x0', level));
  const each = (values: readonly number[]) => perSample(values, x0);
  const data = x.mul(each(pairs.map(([a]) => a))).add(prediction.detach().mul(each(pairs.map(([, b]) => b))));
  const term = boundTerm(schedule, times, x0, data, share, bin).mean();
  return simple.add(term.mul((lambda * schedule.length) / Math.LN2));
}

/** The term of the bound for each coordinate, in nats, at each sample's time. Its gradient goes only to `share`. */
function boundTerm(
  schedule: DiscreteSchedule,
  times: Float64Array,
  x0: Tensor,
  data: Tensor,
  share: Tensor,
  bin: number,
): Tensor {
  const indices = Array.from(times, (t) => schedule.times.indexOf(t));
  const logs = indices.map((i) => logVariances(schedule, i));
  const each = (values: readonly number[]) => perSample(values, x0);
  const small = each(logs.map((l) => l.small));
  const logVariance = share.mul(each(logs.map((l) => l.large - l.small))).add(small);
  const distance = x0.sub(data).mul(each(indices.map((i) => schedule.transition(i).fromX0)));
  const kl = normalKl(distance, small, logVariance);
  if (!indices.includes(0)) return kl;
  const first = each(indices.map((i) => (i === 0 ? 1 : 0)));
  const later = each(indices.map((i) => (i === 0 ? 0 : 1)));
  return kl.mul(later).add(decoderLoss(x0, data, logVariance, bin).mul(first));
}

/** KL(N(m1, e^small) || N(m2, e^other)) with m1 - m2 = distance, elementwise. */
function normalKl(distance: Tensor, small: Tensor, other: Tensor): Tensor {
  const gap = other.sub(small);
  return gap.add(gap.neg().exp()).add(distance.mul(distance).mul(other.neg().exp())).sub(1).mul(0.5);
}

/** -ln of the probability of x0's bin under N(mean, e^logVariance). It is differentiable. */
function decoderLoss(x0: Tensor, mean: Tensor, logVariance: Tensor, bin: number): Tensor {
  const inverse = logVariance.mul(-0.5).exp();
  const centred = x0.sub(mean);
  // The outer bins are open: Φ is 1 above the largest value and 0 below the smallest.
  const values = x0.toTypedArray();
  const at = (f: (value: number) => number) => tensor(Float64Array.from(values, f), x0.shape);
  const inside = at((value) => (value < 1 - bin / 4 ? 1 : 0));
  const above = at((value) => (value < 1 - bin / 4 ? 0 : 1));
  const lower = at((value) => (value > -1 + bin / 4 ? 1 : 0));
  const upperPhi = normalCdf(centred.add(bin / 2).mul(inverse))
    .mul(inside)
    .add(above);
  const lowerPhi = normalCdf(centred.sub(bin / 2).mul(inverse)).mul(lower);
  return upperPhi.sub(lowerPhi).maximum(1e-12).log().neg();
}

/** Φ by tanh, with an error of at most 2e-4. */
function normalCdf(z: Tensor): Tensor {
  const cubed = z.mul(z).mul(z).mul(0.044715);
  return z
    .add(cubed)
    .mul(Math.sqrt(2 / Math.PI))
    .tanh()
    .add(1)
    .mul(0.5);
}
