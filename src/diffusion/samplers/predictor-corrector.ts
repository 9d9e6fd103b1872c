/**
 * Predictor-corrector sampling. The predictor is a step of the reverse SDE (DDPM's ancestral step). Then the corrector,
 * a number of Langevin steps at the new level, reduces its error. At sigma 0 there is no correction.
 *
 * The corrector's step size follows from `snr` as in langevin.ts, times (alpha_from/alpha_to)², which is the paper's
 * alpha_i = 1 - beta_i. Or it is stepSize·sigma². Order 1 (weak) in the number of steps.
 *
 * Source: Song et al., "Score-based generative modeling through stochastic differential equations" (2021),
 * algorithms 2 to 5 with ancestral sampling as the predictor (their appendix F).
 */
import { withDefaults } from '../../options.ts';
import { checkNumber, checkWhole } from '../check.ts';
import { combine } from '../combine.ts';
import { transition } from '../level.ts';
import { byNorms, langevinStep } from './langevin.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, sampler } from './sampler.ts';

/** Options of the sampler `predictor-corrector`. */
export interface PredictorCorrectorOptions extends SamplerOptions {
  /** The number of Langevin steps per level. Default 1. */
  readonly corrections?: number;
  /** The signal-to-noise ratio of a Langevin step. Default 0.16. */
  readonly snr?: number;
  /** delta/sigma² of a Langevin step, in place of `snr`. */
  readonly stepSize?: number;
}

/** @throws ValueError for corrections that are not a whole number >= 0, or a negative step size */
export function predictorCorrector(options: PredictorCorrectorOptions = {}): Sampler {
  const { corrections, snr, stepSize } = withDefaults('predictor-corrector', options, {
    ...SAMPLER_DEFAULTS,
    corrections: 1,
    snr: 0.16,
    stepSize: undefined,
  });
  checkWhole('predictor-corrector: corrections', corrections);
  checkNumber('predictor-corrector: snr', snr);
  if (stepSize !== undefined) checkNumber('predictor-corrector: step size', stepSize, 0, 1);
  return sampler({
    name: 'predictor-corrector',
    order: 1,
    stochastic: true,
    options,
    start: (run) => (i) => {
      const [from, to] = [run.levels[i], run.levels[i + 1]];
      const { fromX, fromX0, variance } = transition(from, to);
      combine(run.x, [fromX, run.x], [fromX0, run.denoise(from)]);
      if (to.sigma === 0) return;
      run.addNoise(Math.sqrt(variance));
      const kept = from.alpha / to.alpha;
      const delta =
        stepSize === undefined ? byNorms(snr, 2 * kept * kept) : () => stepSize * to.sigma * to.sigma;
      // In algorithms 4 and 5 the step is epsilon = 2·alpha_i·(r|z|/|g|)², x += epsilon·g + √(2 epsilon)·z.
      for (let k = 0; k < corrections; k++) langevinStep(run, to, delta);
    },
  });
}
