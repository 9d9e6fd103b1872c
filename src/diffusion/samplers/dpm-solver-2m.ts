/**
 * DPM-Solver++(2M) and its stochastic form: second order with one evaluation per step. The slope of the predicted data
 * D comes from the step before. With k = 1 for the probability-flow ODE, and k = 2 for the reverse SDE,
 *
 *   x_to = (sigma_to/sigma_from)·e^-(k-1)h·x + g·D0 + c·(D0 - D1)·h/h_before,   g = alpha_to(1 - e^-kh)
 *
 * where c = g/2 for `midpoint`, and c = alpha_to - g/(kh) for `heun`. The SDE adds sigma_to·√(1 - e^-2h)·z. The first
 * step is DDIM, with eta 1 for the SDE.
 *
 * Order 2. For the SDE it is the weak order on Gaussian data, which test/diffusion-orders.test.ts measures without
 * sampling error; on other data the weak order is at least 1. Source: Lu et al. (2022), algorithm 2, section 5 and
 * appendix A. Both variants are as in diffusers' DPMSolverMultistepScheduler, `dpmsolver++` and `sde-dpmsolver++`.
 */
import { withDefaults } from '../../options.ts';
import { combine } from '../combine.ts';
import {
  checkVariant,
  decay,
  growth,
  isFirstOrder,
  lambdaStep,
  type MultistepOptions,
} from './dpm-solver.ts';
import { SAMPLER_DEFAULTS, type Sampler, sampler } from './sampler.ts';

/** DPM-Solver++(2M) for the probability-flow ODE. @throws ValueError for an unknown variant */
export function dpmSolver2M(options: MultistepOptions = {}): Sampler {
  return secondOrder('dpm-solver-2m', 1, options);
}

/** DPM-Solver++(2M) for the reverse SDE. @throws ValueError for an unknown variant */
export function dpmSolverSde2M(options: MultistepOptions = {}): Sampler {
  return secondOrder('dpm-solver-sde-2m', 2, options);
}

function secondOrder(name: string, k: 1 | 2, options: MultistepOptions): Sampler {
  const { variant } = withDefaults(name, options, {
    ...SAMPLER_DEFAULTS,
    variant: 'midpoint',
    lowerOrderFinal: undefined,
  });
  checkVariant(name, variant);
  return sampler({
    name,
    order: 2,
    stochastic: k === 2,
    options,
    start(run) {
      let before = run.buffer();
      let hBefore = 0;
      return (i) => {
        const [from, to] = [run.levels[i], run.levels[i + 1]];
        const h = lambdaStep(from, to);
        const grown = growth(h, k);
        const g = to.alpha * grown;
        const stay = (to.sigma / from.sigma) * (k === 2 ? decay(from, to) : 1);
        [before, run.x0] = [run.x0, before];
        run.denoise(from);
        if (isFirstOrder(i, run.levels.length - 1, to, options)) {
          combine(run.x, [stay, run.x], [g, run.x0]);
        } else {
          const c = variant === 'midpoint' ? g / 2 : to.alpha - g / (k * h);
          const slope = (c * h) / hBefore;
          combine(run.x, [stay, run.x], [g + slope, run.x0], [-slope, before]);
        }
        if (k === 2) run.addNoise(to.sigma * Math.sqrt(grown));
        hBefore = h;
      };
    },
  });
}
