/**
 * The forward process and its reversals.
 *
 * The forward process is x_t = alpha·x0 + sigma·eps, in one step for any time. The reversals need a continuous schedule
 * and the score s(x, t) = ∇ln p_t(x), which comes from a model. Solvers need an increasing time, so the time is
 * tau = tMax - t:
 *
 *   dx = (-f(t)·x + (1 + eta²)/2·g(t)²·s) d(tau) + eta·g(t) dW
 *
 * eta 1 is the reverse SDE, and eta 0 is the probability-flow ODE. All have the same marginals. The general solvers of
 * the SDE laboratory (src/sde) solve these equations, and agree with the samplers.
 *
 * Sources: Anderson, "Reverse-time diffusion equation models" (1982); Song et al. (2021), equations 6 and 13; the
 * family in eta: Huang, Lim and Courville, "A variational perspective on diffusion-based generative models" (2021).
 */
import { ShapeError } from '../errors.ts';
import type { Rng } from '../random/rng.ts';
import type { SDE } from '../sde/sde.ts';
import { full, tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkNumber } from './check.ts';
import { combine } from './combine.ts';
import type { ContinuousSchedule } from './continuous-schedule.ts';
import type { NoiseLevel } from './level.ts';
import { conversion, type Predictor } from './prediction.ts';

/** Noises x0 to a level: x = alpha·x0 + sigma·eps, and the eps. */
export function diffuse(x0: Tensor, level: NoiseLevel, rng: Rng): { x: Tensor; eps: Tensor } {
  const eps = rng.normalInto(x0.empty(x0.shape));
  return { x: combine(x0.empty(x0.shape), [level.alpha, x0], [level.sigma, eps]), eps };
}

/** One number per sample, in a shape that broadcasts over a batch x [batch, ...]. */
export function perSample(values: ArrayLike<number>, x: Tensor): Tensor {
  if (values.length !== (x.shape[0] ?? 1)) {
    throw new ShapeError(`batch: expected ${x.shape[0] ?? 1} numbers, one per sample, got ${values.length}`);
  }
  return tensor(
    Float64Array.from(values),
    x.shape.map((_, axis) => (axis === 0 ? values.length : 1)),
  );
}

/** Noises each sample to its own level. @throws ShapeError unless there is a level for each sample */
export function diffuseEach(x0: Tensor, levels: readonly NoiseLevel[], eps: Tensor): Tensor {
  const alphas = perSample(
    levels.map(({ alpha }) => alpha),
    x0,
  );
  const sigmas = perSample(
    levels.map(({ sigma }) => sigma),
    x0,
  );
  return x0.mul(alphas).add(eps.mul(sigmas));
}

/** The score from a model's prediction, -eps/sigma. */
export function score(model: Predictor, x: Tensor, level: NoiseLevel): Tensor {
  const prediction = model.predict(x, level.t);
  const [a, b] = conversion(model.predicts, 'score', level);
  return combine(x.empty(x.shape), [a, x], [b, prediction]);
}

/**
 * The reversal as an SDE in the increasing time tau = tMax - t, from 0 to tMax - tMin.
 * @param eta 1 (default) is the reverse SDE; 0 is the probability-flow ODE
 * @throws ValueError for a negative eta
 */
export function reverseSde(model: Predictor, schedule: ContinuousSchedule, eta = 1): SDE {
  checkNumber('reverseSde: eta', eta);
  // Keep the time in the schedule's interval, in spite of rounding errors of tau.
  const time = (tau: number) => Math.min(Math.max(schedule.tMax - tau, schedule.tMin), schedule.tMax);
  return {
    name: `the reverse of ${schedule.name}`,
    noise: 'additive',
    drift(x, tau) {
      const t = time(tau);
      const factor = ((1 + eta * eta) / 2) * schedule.diffusionSquared(t);
      const s = score(model, x, schedule.level(t));
      return combine(s, [factor, s], [-schedule.drift(t), x]);
    },
    diffusion: (_x, tau) => full([], eta * Math.sqrt(schedule.diffusionSquared(time(tau)))),
  };
}

/** The probability-flow ODE in tau: see `reverseSde`. */
export function probabilityFlow(model: Predictor, schedule: ContinuousSchedule): SDE {
  return reverseSde(model, schedule, 0);
}
