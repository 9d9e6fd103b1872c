/**
 * EDM's stochastic sampler. Before each Heun step, noise is added, which raises s = sigma/alpha to s·(1 + gamma). This
 * reduces errors of earlier steps. In y = x/alpha (Heun's step uses the variables of heun.ts):
 *
 *   gamma = min(churn/steps, √2 - 1) where minSigma <= s <= maxSigma, else 0
 *   y += √((s·(1 + gamma))² - s²)·noiseScale·z, then Heun from s·(1 + gamma) to s_to
 *
 * With churn 0 it is Heun's method, of order 2. Source: Karras et al. (2022), algorithm 2, with a `karras` grid. The
 * time input of the model is the time of the raised sigma, at most tMax. Pure noise, where alpha is 0, is not raised.
 */
import { withDefaults } from '../../options.ts';
import { checkNumber } from '../check.ts';
import { combine } from '../combine.ts';
import { noiseToSignal } from '../level.ts';
import { scaleOf } from './euler.ts';
import { heunStep } from './heun.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, sampler } from './sampler.ts';

/** Options of the sampler `edm`. */
export interface EdmOptions extends SamplerOptions {
  /** S_churn. Default 0. */
  readonly churn?: number;
  /** S_tmin: noise is added only if s is at least this. Default 0. */
  readonly minSigma?: number;
  /** S_tmax: noise is added only if s is at most this. Default infinity. */
  readonly maxSigma?: number;
  /** S_noise. Default 1. */
  readonly noiseScale?: number;
}

/** EDM's sampler. Its default spacing is `karras`. @throws ValueError for a negative churn or noise scale */
export function edm(options: EdmOptions = {}): Sampler {
  const filled = withDefaults('edm', options, {
    ...SAMPLER_DEFAULTS,
    spacing: 'karras',
    churn: 0,
    minSigma: 0,
    maxSigma: Infinity,
    noiseScale: 1,
  });
  const { churn, minSigma, maxSigma, noiseScale } = filled;
  checkNumber('edm: churn', churn);
  checkNumber('edm: noise scale', noiseScale);
  return sampler({
    name: 'edm',
    order: 2,
    stochastic: churn > 0,
    options: filled,
    start(run) {
      const { levels, schedule, x } = run;
      const step = heunStep(run, scaleOf(levels));
      const most = Math.min(churn / (levels.length - 1), Math.SQRT2 - 1);
      return (i) => {
        let from = levels[i];
        const s = noiseToSignal(from);
        if (most > 0 && s >= minSigma && s <= maxSigma && s < Infinity) {
          const raised = schedule.levelOfRatio(s * (1 + most));
          combine(x, [raised.alpha / from.alpha, x]);
          run.addNoise(raised.alpha * s * Math.sqrt(most * (2 + most)) * noiseScale);
          from = raised;
        }
        step(from, levels[i + 1]);
      };
    },
  });
}
