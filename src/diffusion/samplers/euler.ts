/**
 * The probability-flow ODE by Euler's method. With y = x/alpha and s = sigma/alpha the ODE of every schedule is
 *
 *   dy/ds = eps(alpha·y, t)
 *
 * (Karras et al. 2022, equation 4 with s(t) = 1), and a step is y += (s_to - s_from)·eps. This is the same map as
 * DDIM with eta 0 (Song, Meng and Ermon 2021, section 4.3), and Euler's discrete sampler in diffusers and k-diffusion.
 *
 * Order 1. The ODE in the schedule's own time, for general solvers, is `probabilityFlow` in process.ts.
 */
import { withDefaults } from '../../options.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import { noiseToSignal } from '../level.ts';
import { requireSignal, SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, sampler } from './sampler.ts';

/** The sampler; levels must have some signal left, alpha > 0. */
export function euler(options: SamplerOptions = {}): Sampler {
  withDefaults('euler', options, SAMPLER_DEFAULTS);
  return sampler({
    name: 'euler',
    order: 1,
    stochastic: false,
    options,
    start(run) {
      requireSignal('euler', run.levels);
      return (i) => {
        const [from, to] = [run.levels[i], run.levels[i + 1]];
        const [a, b] = eulerMap(from, to);
        combine(run.x, [a, run.x], [b, run.denoise(from)]);
      };
    },
  });
}

/** (a, b): x_to = a·x + b·x0 after alpha_to·(y + (s_to - s_from)·eps), with eps = (x - alpha·x0)/sigma. */
export function eulerMap(from: NoiseLevel, to: NoiseLevel): readonly [number, number] {
  const slope = to.alpha * (noiseToSignal(to) - noiseToSignal(from));
  return [to.alpha / from.alpha + slope / from.sigma, (-slope * from.alpha) / from.sigma];
}
