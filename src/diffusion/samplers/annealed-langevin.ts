/**
 * Annealed Langevin dynamics: `corrections` Langevin steps at each level, from the most noise to the least, with
 * delta = stepSize·sigma². (In the paper delta is alpha_i/2 = epsilon·sigma_i²/(2·sigma_L²), so stepSize is
 * epsilon/(2·sigma_L²).) Between levels x/alpha does not change. After pure noise, where alpha is 0, the next level
 * starts with noise of its own sigma. The step to sigma 0 returns the predicted data (Jolicoeur-Martineau et al. 2021).
 *
 * Order 0: a finer grid only helps by its additional Langevin steps. At a level the error is of order 1 in stepSize.
 * Source: Song and Ermon, "Generative modeling by estimating gradients of the data distribution" (2019), algorithm 1,
 * for variance exploding noise. On other schedules it is the same algorithm in x/alpha.
 */
import { withDefaults } from '../../options.ts';
import { checkNumber, checkWhole } from '../check.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import { langevinStep } from './langevin.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, sampler } from './sampler.ts';

/** Options of the sampler `annealed-langevin`. */
export interface AnnealedLangevinOptions extends SamplerOptions {
  /** The number of Langevin steps per level. Default 10. */
  readonly corrections?: number;
  /** delta/sigma², at most 1. With 1 a step replaces x by the predicted data plus noise. Default 0.1. */
  readonly stepSize?: number;
}

/** @throws ValueError for corrections that are not a whole number >= 1, or a step size outside (0, 1] */
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
