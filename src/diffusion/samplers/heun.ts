/**
 * The probability-flow ODE by Heun's method, in Karras' variables y = x/alpha, s = sigma/alpha (see euler.ts):
 *
 *   y' = y + h·eps(y, s);   y_to = y + h/2·(eps(y, s) + eps(y', s + h))
 *
 * The last step, where s_to is 0 and eps is not defined, is Euler's. Order 2, two evaluations a step but for the
 * last. Source: Karras, Aittala, Aila and Laine, "Elucidating the design space of diffusion-based generative
 * models" (2022), algorithm 1.
 */
import { withDefaults } from '../../options.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { combine } from '../combine.ts';
import { type NoiseLevel, noiseToSignal } from '../level.ts';
import { eulerMap } from './euler.ts';
import {
  requireSignal,
  SAMPLER_DEFAULTS,
  type Sampler,
  type SamplerOptions,
  type SamplingRun,
  sampler,
} from './sampler.ts';

/** The sampler; levels must have some signal left, alpha > 0. */
export function heun(options: SamplerOptions = {}): Sampler {
  withDefaults('heun', options, SAMPLER_DEFAULTS);
  return sampler({
    name: 'heun',
    order: 2,
    stochastic: false,
    options,
    start(run) {
      requireSignal('heun', run.levels);
      const trial = run.buffer();
      const second = run.buffer();
      return (i) => heunStep(run, run.levels[i], run.levels[i + 1], trial, second);
    },
  });
}

/** One step of Heun's method, in place; `trial` and `second` are scratch. */
export function heunStep(
  run: SamplingRun,
  from: NoiseLevel,
  to: NoiseLevel,
  trial: Tensor,
  second: Tensor,
): void {
  const { x } = run;
  const [a, b] = eulerMap(from, to);
  run.denoise(from);
  if (to.sigma === 0) {
    combine(x, [a, x], [b, run.x0]);
    return;
  }
  combine(trial, [a, x], [b, run.x0]);
  run.denoise(to, trial, second);
  // Both slopes are (x - alpha·x0)/sigma of their own level; h/2 is half of the difference of ratios.
  const half = 0.5 * to.alpha * (noiseToSignal(to) - noiseToSignal(from));
  combine(
    x,
    [to.alpha / from.alpha + half / from.sigma, x],
    [(-half * from.alpha) / from.sigma, run.x0],
    [half / to.sigma, trial],
    [(-half * to.alpha) / to.sigma, second],
  );
}
