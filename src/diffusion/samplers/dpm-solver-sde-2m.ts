/**
 * SDE-DPM-Solver++(2M): the reverse SDE by the same idea as DPM-Solver++(2M).
 *
 *   x_to = (sigma_to/sigma_from)·e^-h·x + alpha_to(1 - e^-2h)·D0 + c·(D0 - D1)·h/h_before + sigma_to·√(1 - e^-2h)·z
 *
 * c = alpha_to(1 - e^-2h)/2 for `midpoint`, alpha_to(1 - (1 - e^-2h)/(2h)) for `heun`. The first step is DDIM with
 * eta 1. Order 2, weakly, on Gaussian data, where test/diffusion-orders.test.ts measures it without sampling error;
 * on other data it is at least 1.
 *
 * Source: Lu et al. (2022), section 5 and appendix A; both variants as in diffusers, `sde-dpmsolver++`.
 */
import { combine } from '../combine.ts';
import {
  checkVariant,
  decay,
  growth,
  isFirstOrder,
  lambdaStep,
  type MultistepOptions,
} from './dpm-solver.ts';
import { type Sampler, sampler } from './sampler.ts';

/** @throws ValueError for an unknown variant */
export function dpmSolverSde2M(options: MultistepOptions = {}): Sampler {
  const variant = checkVariant('dpm-solver-sde-2m', options.variant);
  return sampler({
    name: 'dpm-solver-sde-2m',
    order: 2,
    stochastic: true,
    options,
    start(run) {
      let before = run.buffer();
      let hBefore = 0;
      return (i) => {
        const [from, to] = [run.levels[i]!, run.levels[i + 1]!];
        const h = lambdaStep(from, to);
        const noise = growth(h, 2);
        const g = to.alpha * noise;
        const stay = (to.sigma / from.sigma) * decay(from, to);
        [before, run.x0] = [run.x0, before];
        run.denoise(from);
        if (isFirstOrder(i, run.levels.length - 1, to, options)) {
          combine(run.x, [stay, run.x], [g, run.x0]);
        } else {
          const c = variant === 'midpoint' ? g / 2 : to.alpha - g / (2 * h);
          const slope = (c * h) / hBefore;
          combine(run.x, [stay, run.x], [g + slope, run.x0], [-slope, before]);
        }
        run.addNoise(to.sigma * Math.sqrt(noise));
        hBefore = h;
      };
    },
  });
}
