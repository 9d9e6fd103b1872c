/**
 * The probability-flow ODE by Euler's method, in the variables y = x/c and s = sigma/c. There are two scales c:
 *
 *   c = alpha           dy/ds = eps        Karras et al. (2022), equation 4 with s(t) = 1
 *   c = alpha + sigma   dy/ds = eps - x0   the velocity of the straight line from data to noise, rectified flow
 *
 * Both slopes are (x - c·x0)/sigma, and a step is y += (s_to - s_from)·slope. The second scale is finite at pure noise,
 * where alpha is 0. Euler's step is the same map for both scales. It is DDIM with eta 0 (Song, Meng and Ermon 2021,
 * section 4.3), and Euler's discrete sampler in diffusers and k-diffusion.
 *
 * Order 1. For general solvers, `probabilityFlow` in process.ts is the ODE in the schedule's own time.
 */
import { withDefaults } from '../../options.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import { isStraight } from '../spacing.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, sampler } from './sampler.ts';

/** Euler's sampler. */
export function euler(options: SamplerOptions = {}): Sampler {
  withDefaults('euler', options, SAMPLER_DEFAULTS);
  return sampler({
    name: 'euler',
    order: 1,
    stochastic: false,
    options,
    start(run) {
      const scale = scaleOf(run.levels);
      return (i) => {
        const [from, to] = [run.levels[i], run.levels[i + 1]];
        const [a, b] = eulerMap(from, to, scale);
        combine(run.x, [a, run.x], [b, run.denoise(from)]);
      };
    },
  });
}

/** The scale c of a level: see the top of this file. */
export type Scale = (level: NoiseLevel) => number;

/** A run whose first alpha is below this begins at nearly pure noise, as on the cosine schedule. */
const NEARLY_NOISE = 1e-3;

/** The scale for a run over these levels. */
export function scaleOf(levels: readonly NoiseLevel[]): Scale {
  return isStraight(levels) || levels[0].alpha < NEARLY_NOISE
    ? ({ alpha, sigma }) => alpha + sigma
    : ({ alpha }) => alpha;
}

/** (a, b): x_to = a·x + b·x0 after c_to·(y + (s_to - s_from)·slope), with slope = (x - c·x0)/sigma. */
export function eulerMap(from: NoiseLevel, to: NoiseLevel, scale: Scale): readonly [number, number] {
  const [c, cTo] = [scale(from), scale(to)];
  const slope = cTo * (to.sigma / cTo - from.sigma / c);
  return [cTo / c + slope / from.sigma, (-slope * c) / from.sigma];
}
