/**
 * DPM-Solver++(2M): second order from one evaluation a step, with the slope of D from the step before.
 *
 *   x_to = (sigma_to/sigma_from)·x + alpha_to(1 - e^-h)·D0 + c·(D0 - D1)·h/h_before
 *
 * c = alpha_to(1 - e^-h)/2 for `midpoint`, alpha_to(1 - (1 - e^-h)/h) for `heun`. The first step is DDIM.
 * Order 2. Source: Lu et al. (2022), algorithm 2; both variants as in diffusers' DPMSolverMultistepScheduler.
 */
import { combine } from '../combine.ts';
import { checkVariant, growth, isFirstOrder, lambdaStep, type MultistepOptions } from './dpm-solver.ts';
import { type Sampler, sampler } from './sampler.ts';

/** @throws ValueError for an unknown variant */
export function dpmSolver2M(options: MultistepOptions = {}): Sampler {
  const variant = checkVariant('dpm-solver-2m', options.variant);
  return sampler({
    name: 'dpm-solver-2m',
    order: 2,
    stochastic: false,
    options,
    start(run) {
      let before = run.buffer();
      let hBefore = 0;
      return (i) => {
        const [from, to] = [run.levels[i]!, run.levels[i + 1]!];
        const h = lambdaStep(from, to);
        const g = to.alpha * growth(h);
        const stay = to.sigma / from.sigma;
        [before, run.x0] = [run.x0, before];
        run.denoise(from);
        if (isFirstOrder(i, run.levels.length - 1, to, options)) {
          combine(run.x, [stay, run.x], [g, run.x0]);
        } else {
          const c = variant === 'midpoint' ? g / 2 : to.alpha - g / h;
          const slope = (c * h) / hBefore;
          combine(run.x, [stay, run.x], [g + slope, run.x0], [-slope, before]);
        }
        hBefore = h;
      };
    },
  });
}
