/**
 * The probability-flow ODE by Heun's method, in the variables y = x/c and s = sigma/c of euler.ts. With f = dy/ds,
 *
 *   y' = y + h·f(y, s);   y_to = y + h/2·(f(y, s) + f(y', s + h))
 *
 * The scale c is alpha, as in Karras et al. From pure noise, where alpha is below 1e-3, and on the rectified flow, c is
 * alpha + sigma, and s is the flow's own time. (Near pure noise a step in sigma/alpha is very long, and its second
 * slope is inaccurate.) The last step, where s_to is 0 and eps is not defined, is Euler's.
 *
 * Order 2. Each step needs two evaluations; the last needs one. Source: Karras, Aittala, Aila and Laine, "Elucidating
 * the design space of diffusion-based generative models" (2022), algorithm 1.
 */
import { withDefaults } from '../../options.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import { eulerMap, type Scale, scaleOf } from './euler.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, type SamplingRun, sampler } from './sampler.ts';

/** Heun's sampler. */
export function heun(options: SamplerOptions = {}): Sampler {
  withDefaults('heun', options, SAMPLER_DEFAULTS);
  return sampler({
    name: 'heun',
    order: 2,
    stochastic: false,
    options,
    start(run) {
      const step = heunStep(run, scaleOf(run.levels));
      return (i) => step(run.levels[i], run.levels[i + 1]);
    },
  });
}

/** The step of Heun's method in y = x/c, in place. */
export function heunStep(run: SamplingRun, scale: Scale): (from: NoiseLevel, to: NoiseLevel) => void {
  const { x } = run;
  const [trial, second] = [run.buffer(), run.buffer()];
  return (from, to) => {
    const [a, b] = eulerMap(from, to, scale);
    run.denoise(from);
    if (to.sigma === 0) {
      combine(x, [a, x], [b, run.x0]);
      return;
    }
    combine(trial, [a, x], [b, run.x0]);
    run.denoise(to, trial, second);
    // Each slope is (x - c·x0)/sigma at its own level. h/2 is half of the difference of sigma/c.
    const [c, cTo] = [scale(from), scale(to)];
    const half = 0.5 * cTo * (to.sigma / cTo - from.sigma / c);
    combine(
      x,
      [cTo / c + half / from.sigma, x],
      [(-half * c) / from.sigma, run.x0],
      [half / to.sigma, trial],
      [(-half * cTo) / to.sigma, second],
    );
  };
}
