/**
 * The likelihood of data under a model, by the probability-flow ODE. In y = x/alpha and u = ln(sigma/alpha) it is
 *
 *   dy/du = s·eps(alpha·y, t),   d(ln p)/du = -s·div_y eps,   s = e^u.
 *
 * The classical Runge-Kutta method integrates it from the level with the least noise (tMin) to the level with the most.
 * There ln p is that of the prior, N(0, (priorStd/alpha)²) in y. The result is the density in y of the data with the
 * noise of level tMin, not of the data without noise (as in Song et al. 2021).
 *
 * The divergence is exact, with one backward pass per coordinate. Or it is Hutchinson's unbiased estimate
 * zᵀ(∂eps/∂y)z with random signs z. The error is of order 4 in the step size. Source: Song et al. (2021), appendix D.2.
 *
 * Left out on purpose: adaptive steps, and dequantisation of pixels, which is the caller's task.
 */
import { scope } from '../autograd/tape.ts';
import { ValueError } from '../errors.ts';
import { exp, log } from '../math.ts';
import { withDefaults } from '../options.ts';
import type { Rng } from '../random/rng.ts';
import { tensor } from '../tensor/create.ts';
import { frozen } from '../tensor/gradient.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkSteps } from './check.ts';
import { combine } from './combine.ts';
import { type NoiseLevel, noiseToSignal } from './level.ts';
import { conversion, type Predictor } from './prediction.ts';
import type { NoiseSchedule } from './schedule.ts';

/** Options of `odeLikelihood`. */
export interface LikelihoodOptions {
  /** The number of Runge-Kutta steps. Each step needs four evaluations. Default 64. */
  readonly steps?: number;
  /** The method for the divergence. Default `exact`. `hutchinson` needs a generator. */
  readonly divergence?: 'exact' | 'hutchinson';
  /** The generator of the probe vectors of `hutchinson`. */
  readonly rng?: Rng;
  /** The parameters of the model: their gradients are not computed. */
  readonly parameters?: readonly Tensor[];
}

/** The result of `odeLikelihood`. */
export interface Likelihood {
  /** ln p of each sample, in nats. */
  readonly logLikelihood: Float64Array;
  /** The end of the ODE: x at the level with the most noise. It is on the heap and belongs to the caller. */
  readonly latent: Tensor;
}

/**
 * ln p of a batch [batch, ...]. The tape differentiates the model.
 * @throws ValueError for steps that are not a whole number >= 1, a missing generator, or a last level with alpha = 0
 */
export function odeLikelihood(
  model: Predictor,
  schedule: NoiseSchedule,
  x: Tensor,
  options: LikelihoodOptions = {},
): Likelihood {
  const { steps, divergence, rng, parameters } = withDefaults('odeLikelihood', options, {
    steps: 64,
    divergence: 'exact',
    rng: undefined,
    parameters: [],
  });
  checkSteps('likelihood', steps, 1);
  if (divergence !== 'exact' && divergence !== 'hutchinson') {
    throw new ValueError(`likelihood: expected a divergence exact or hutchinson, got "${divergence}"`);
  }
  if (divergence === 'hutchinson' && !rng) throw new ValueError('likelihood: expected a generator, got none');
  const [first, last] = [schedule.level(schedule.tMin), schedule.level(schedule.tMax)];
  if (last.alpha === 0)
    throw new ValueError('likelihood: expected a schedule that ends with alpha > 0, got 0');
  const y = combine(x.emptyOnHeap(x.shape), [1 / first.alpha, x]);
  const [from, to] = [log(noiseToSignal(first)), log(noiseToSignal(last))];
  const du = (to - from) / steps;
  const gained = new Float64Array(x.shape[0] ?? 1);
  for (let i = 0; i < steps; i++) {
    scope(() => {
      const probe = divergence === 'exact' ? null : signs(x, rng!);
      frozen(parameters, () => rungeKutta(model, schedule, y, from + i * du, du, gained, probe));
    });
  }
  const std = schedule.priorStd / last.alpha;
  const logLikelihood = scope(() => logNormal(y, std)).map((prior, i) => prior + gained[i]);
  return { logLikelihood, latent: combine(y, [last.alpha, y]) };
}

/** One step from u to u + du. It updates y in place, and adds the integral of the divergence to `gained`. */
function rungeKutta(
  model: Predictor,
  schedule: NoiseSchedule,
  y: Tensor,
  u: number,
  du: number,
  gained: Float64Array,
  probe: Tensor | null,
): void {
  const middle = schedule.levelOfRatio(exp(u + du / 2));
  const levels = [schedule.levelOfRatio(exp(u)), middle, middle, schedule.levelOfRatio(exp(u + du))];
  const reach = [0, du / 2, du / 2, du];
  const weights = [du / 6, du / 3, du / 3, du / 6];
  const slopes: Tensor[] = [];
  for (const [k, level] of levels.entries()) {
    const at = combine(y.empty(y.shape), [1, y], ...(k > 0 ? ([[reach[k], slopes[k - 1]]] as const) : []));
    const { slope, divergence } = field(model, at, level, probe);
    slopes.push(slope);
    for (const [i, d] of divergence.entries()) gained[i] += weights[k] * d;
  }
  combine(y, [1, y], ...slopes.map((slope, k) => [weights[k], slope] as const));
}

/** s·eps(alpha·y) and its divergence in y for each sample. */
function field(
  model: Predictor,
  y: Tensor,
  level: NoiseLevel,
  probe: Tensor | null,
): { slope: Tensor; divergence: Float64Array } {
  const leaf = y.detach().requireGrad();
  const x = leaf.mul(level.alpha);
  const [a, b] = conversion(model.predicts, 'eps', level);
  const s = noiseToSignal(level);
  const slope = x.mul(s * a).add(model.predict(x, level.t).mul(s * b));
  const batch = y.shape[0] ?? 1;
  const n = y.size / batch;
  const divergence = new Float64Array(batch);
  // The sum over all unit vectors e_j is the trace. One vector of random signs estimates it.
  for (let j = 0; j < (probe ? 1 : n); j++) {
    const direction = probe ?? unit(y, j);
    leaf.zeroGrad();
    slope.backward(direction, { retainGraph: true });
    const products = direction.mul(leaf.grad!).reshape([batch, n]).sum(1).toTypedArray();
    for (const [i, value] of products.entries()) divergence[i] += value;
  }
  return { slope: slope.detach(), divergence };
}

/** 1 at coordinate j of each sample, else 0. */
function unit(like: Tensor, j: number): Tensor {
  const n = like.size / (like.shape[0] ?? 1);
  return tensor(
    Float64Array.from({ length: like.size }, (_, i) => (i % n === j ? 1 : 0)),
    like.shape,
  );
}

/** 1 or -1 with equal probability. */
function signs(like: Tensor, rng: Rng): Tensor {
  return tensor(
    Float64Array.from(rng.bits(like.size), (word) => (word >>> 31) * 2 - 1),
    like.shape,
  );
}

/** ln N(y; 0, std²) of each sample. */
function logNormal(y: Tensor, std: number): Float64Array {
  const batch = y.shape[0] ?? 1;
  const n = y.size / batch;
  const squares = y.mul(y).reshape([batch, n]).sum(1);
  return Float64Array.from(
    squares.toTypedArray(),
    (square) => (-0.5 * square) / (std * std) - 0.5 * n * log(2 * Math.PI * std * std),
  );
}
