/**
 * The probability-flow ODE by Euler's method. With y = x/c and s = sigma/c the ODE of every schedule is linear in s
 * but for the predicted data. Two scales c are in use:
 *
 *   c = alpha           dy/ds = eps        Karras et al. (2022), equation 4 with s(t) = 1
 *   c = alpha + sigma   dy/ds = eps - x0   the velocity of the straight line from data to noise, rectified flow
 *
 * Both slopes are (x - c·x0)/sigma, and a step is y += (s_to - s_from)·slope. The second stays finite at pure noise,
 * where alpha is 0. Euler's map is the same in both: DDIM with eta 0 (Song, Meng and Ermon 2021, section 4.3), and
 * Euler's discrete sampler in diffusers and k-diffusion.
 *
 * Order 1. The ODE in the schedule's own time, for general solvers, is `probabilityFlow` in process.ts.
 */
import { withDefaults } from '../../options.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import { isStraight } from '../spacing.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, sampler } from './sampler.ts';

/** The sampler. */
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

/** c of a level: see above. */
export type Scale = (level: NoiseLevel) => number;

/** The scale in which a run over these levels is integrated. */
export function scaleOf(levels: readonly NoiseLevel[]): Scale {
  return isStraight(levels) ? ({ alpha, sigma }) => alpha + sigma : ({ alpha }) => alpha;
}

/** (a, b): x_to = a·x + b·x0 after c_to·(y + (s_to - s_from)·slope), with slope = (x - c·x0)/sigma. */
export function eulerMap(from: NoiseLevel, to: NoiseLevel, scale: Scale): readonly [number, number] {
  const [c, cTo] = [scale(from), scale(to)];
  const slope = cTo * (to.sigma / cTo - from.sigma / c);
  return [cTo / c + slope / from.sigma, (-slope * c) / from.sigma];
}
