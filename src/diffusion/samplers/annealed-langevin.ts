/**
 * Annealed Langevin dynamics: `corrections` Langevin steps at each level, from the noisiest to the cleanest, with
 * delta = stepSize·sigma² (the paper's alpha_i/2 = epsilon·sigma_i²/(2·sigma_L²), so that
 * stepSize is epsilon/(2·sigma_L²) in its terms). Between levels x/alpha stays as it is; after pure noise,
 * where alpha is 0, the next level begins with noise of its own sigma. The step to sigma 0 takes the predicted data
 * (Jolicoeur-Martineau et al. 2021).
 *
 * Order 0: more levels do not help beyond what more Langevin steps do; at a level its error is of order 1 in
 * stepSize. Source: Song and Ermon, "Generative modeling by estimating gradients of the data distribution"
 * (2019), algorithm 1, for exploding noise; on other schedules it is the same in x/alpha.
 */
import { withDefaults } from '../../options.ts';
import { checkNumber, checkWhole } from '../check.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import { langevinStep } from './langevin.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, sampler } from './sampler.ts';

export interface AnnealedLangevinOptions extends SamplerOptions {
  /** Langevin steps a level, 10 by default. */
  readonly corrections?: number;
  /** delta/sigma², 0.1 by default; at most 1, where a step forgets all. */
  readonly stepSize?: number;
}

/** @throws ValueError for corrections that are no whole number >= 1, and step sizes outside (0, 1] */
export function annealedLangevin(options: AnnealedLangevinOptions = {}): Sampler {
  const { corrections, stepSize } = withDefaults('annealed-langevin', options, {
    ...SAMPLER_DEFAULTS,
    corrections: 10,
    stepSize: 0.1,
  });
  checkWhole('annealed-langevin: corrections', corrections, 1);
  checkNumber('annealed-langevin: step size', stepSize, 0, 1);
  return sampler({
    name: 'annealed-langevin',
    order: 0,
    stochastic: true,
    options,
    start(run) {
      const relax = (level: NoiseLevel) => {
        const delta = stepSize * level.sigma * level.sigma;
        for (let k = 0; k < corrections; k++) langevinStep(run, level, () => delta);
      };
      return (i) => {
        const [from, to] = [run.levels[i], run.levels[i + 1]];
        relax(from);
        if (to.sigma === 0) return combine(run.x, [1, run.denoise(from)]);
        combine(run.x, [from.alpha > 0 ? to.alpha / from.alpha : to.sigma / from.sigma, run.x]);
        if (i === run.levels.length - 2) relax(to);
      };
    },
  });
}
