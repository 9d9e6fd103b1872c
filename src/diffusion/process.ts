/**
 * The forward process and its two reversals.
 *
 * Forwards, x_t = alpha·x0 + sigma·eps in one step for any time. Backwards in a continuous schedule, with the score
 * s(x, t) = ∇ln p_t(x) from a model and time turned round, tau = tMax - t, so that it rises as solvers want it:
 *
 *   dx = (-f(t)·x + (1 + eta²)/2·g(t)²·s) d(tau) + eta·g(t) dW
 *
 * eta 1 is the reverse SDE, eta 0 the probability-flow ODE; all have the same marginals. These are equations for
 * the general solvers of the SDE laboratory (src/sde), which agree with the special samplers.
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

/** x0 at a noise level, alpha·x0 + sigma·eps, and the eps that was drawn. */
export function diffuse(x0: Tensor, level: NoiseLevel, rng: Rng): { x: Tensor; eps: Tensor } {
  const eps = rng.normalInto(x0.empty(x0.shape));
  return { x: combine(x0.empty(x0.shape), [level.alpha, x0], [level.sigma, eps]), eps };
}

/** Numbers, one for each sample, in a shape that broadcasts over a batch [batch, ...]. */
export function perSample(values: ArrayLike<number>, x: Tensor): Tensor {
  if (values.length !== (x.shape[0] ?? 1)) {
    throw new ShapeError(`batch: expected ${x.shape[0] ?? 1} numbers, one a sample, got ${values.length}`);
  }
  return tensor(
    Float64Array.from(values),
    x.shape.map((_, axis) => (axis === 0 ? values.length : 1)),
  );
}

/** Each sample at its own noise level. @throws ShapeError unless there is a level for each sample */
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

/** The score as a model sees it, -eps/sigma. */
export function score(model: Predictor, x: Tensor, level: NoiseLevel): Tensor {
  const prediction = model.predict(x, level.t);
  const [a, b] = conversion(model.predicts, 'score', level);
  return combine(x.empty(x.shape), [a, x], [b, prediction]);
}

/**
 * The family of reversals in rising time tau = tMax - t, from 0 to tMax - tMin.
 * @param eta 1, the reverse SDE, by default; 0 is the probability-flow ODE
 * @throws ValueError for a negative eta
 */
export function reverseSde(model: Predictor, schedule: ContinuousSchedule, eta = 1): SDE {
  checkNumber('reverseSde: eta', eta);
  // Rounding of tau must not lead out of the schedule.
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

/** dx/d(tau) of the probability-flow ODE: see `reverseSde`. */
export function probabilityFlow(model: Predictor, schedule: ContinuousSchedule): SDE {
  return reverseSde(model, schedule, 0);
}
