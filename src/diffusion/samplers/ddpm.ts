/**
 * DDPM's ancestral sampling. Each step draws from p(x_to | x_from) = q(x_to | x_from, x0), with the predicted data in
 * place of x0. The last step, to the level without noise, adds no noise.
 *
 * The variance of a step is one of three. `small` is betaTilde: it is exact if the data are one point, and the sampler
 * is DDIM with eta 1. `large` is beta: it is exact for standard normal data. `learned` is between them, by a share that
 * the model predicts: ln(variance) = share·ln(beta) + (1 - share)·ln(betaTilde). If the grid has fewer steps than the
 * schedule, beta and betaTilde are those of the longer steps.
 *
 * Order 1 (weak). Sources: Ho, Jain and Abbeel (2020), algorithm 2; Nichol and Dhariwal (2021), equation 15.
 */
import { ValueError } from '../../errors.ts';
import { log } from '../../math.ts';
import { withDefaults } from '../../options.ts';
import { combine } from '../combine.ts';
import { transition } from '../level.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, type SamplingRun, sampler } from './sampler.ts';

/** Options of the sampler `ddpm`. */
export interface DdpmOptions extends SamplerOptions {
  /** Default `learned` for a model that predicts its variance, else `small`. */
  readonly variance?: 'small' | 'large' | 'learned';
}

/** @throws ValueError for an unknown variance */
export function ddpm(options: DdpmOptions = {}): Sampler {
  const { variance } = withDefaults('ddpm', options, { ...SAMPLER_DEFAULTS, variance: undefined });
  if (variance !== undefined && !['small', 'large', 'learned'].includes(variance)) {
    throw new ValueError(`ddpm: expected a variance small, large or learned, got "${variance}"`);
  }
  return sampler({
    name: 'ddpm',
    order: 1,
    stochastic: true,
    options,
    start: (run) => {
      if (variance === 'learned' || (!variance && run.model.predictWithVariance)) return learned(run);
      return (i) => {
        const [from, to] = [run.levels[i], run.levels[i + 1]];
        const { beta, fromX, fromX0, variance: small } = transition(from, to);
        combine(run.x, [fromX, run.x], [fromX0, run.denoise(from)]);
        if (to.sigma > 0) run.addNoise(Math.sqrt(variance === 'large' ? beta : small));
      };
    },
  });
}

function learned(run: SamplingRun): (i: number) => void {
  const { model, x } = run;
  if (!model.predictWithVariance) {
    throw new ValueError('ddpm: expected a model that predicts its variance, got one that does not');
  }
  return (i) => {
    const [from, to] = [run.levels[i], run.levels[i + 1]];
    const { beta, fromX, fromX0, variance } = transition(from, to);
    const { prediction, share } = model.predictWithVariance!(x, from.t);
    run.evaluations++;
    run.toData(from, x, run.checked(prediction, x.shape));
    combine(x, [fromX, x], [fromX0, run.x0]);
    if (to.sigma === 0) return;
    // std = √betaTilde·exp(share·ln(beta/betaTilde)/2)
    const factor = run
      .checked(share, x.shape)
      .mul(0.5 * log(beta / variance))
      .exp();
    combine(x, [1, x], [Math.sqrt(variance), run.noise().mul(factor)]);
  };
}
