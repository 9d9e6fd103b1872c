/**
 * DDIM, and its inversion. A step combines the predicted data and the predicted noise at the lower noise level:
 *
 *   x_to = alpha_to·x0 + √(sigma_to² - s²)·eps + s·z,   s² = eta²·betaTilde
 *
 * With eta 0 the step is deterministic: it integrates the probability-flow ODE with order 1. eta 1 is DDPM with the
 * small variance. If thresholding changes the data, the noise is recomputed from it. With `epsilon: 'model'` the noise
 * is the model's, as in diffusers.
 *
 * The inversion goes through the grid in the other direction, from the least noise to the most. Its step is implicit:
 * it needs the prediction at the unknown state with more noise. The first guess uses the prediction at the known state.
 * Then `iterations` steps of a fixed-point iteration follow. They converge to the state from which DDIM leads to the
 * known one.
 *
 * Source: Song, Meng and Ermon, "Denoising diffusion implicit models" (2021), equations 12 and 16; inversion:
 * Dhariwal and Nichol (2021), appendix F; fixed point: Pan et al., "Effective real image editing with accelerated
 * iterative diffusion inversion" (2023).
 */
import { ValueError } from '../../errors.ts';
import { withDefaults } from '../../options.ts';
import { checkNumber, checkWhole } from '../check.ts';
import { combine } from '../combine.ts';
import { type NoiseLevel, transition } from '../level.ts';
import { type Coefficients, conversion } from '../prediction.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, type SamplingRun, sampler } from './sampler.ts';

/** Options of the sampler `ddim`. */
export interface DdimOptions extends SamplerOptions {
  /** The amount of noise, from 0 (deterministic) to 1 (DDPM). Default 0. */
  readonly eta?: number;
  /** If thresholding changes x0: the noise that fits the new x0, or the model's noise. Default `thresholded`. */
  readonly epsilon?: 'thresholded' | 'model';
}

/** (a, b): DDIM's x_to is a·x + b·x0, plus noise of standard deviation s. */
export function ddimMap(from: NoiseLevel, to: NoiseLevel, s = 0): Coefficients {
  const towards = Math.sqrt(Math.max(0, to.sigma * to.sigma - s * s)) / from.sigma;
  return [towards, to.alpha - towards * from.alpha];
}

/** @throws ValueError for an eta outside [0, 1] */
export function ddim(options: DdimOptions = {}): Sampler {
  const { eta, epsilon } = withDefaults('ddim', options, {
    ...SAMPLER_DEFAULTS,
    eta: 0,
    epsilon: 'thresholded',
  });
  checkNumber('ddim: eta', eta, 0, 1);
  if (epsilon !== 'thresholded' && epsilon !== 'model') {
    throw new ValueError(`ddim: expected an epsilon thresholded or model, got "${String(epsilon)}"`);
  }
  return sampler({
    name: 'ddim',
    order: 1,
    stochastic: eta > 0,
    options,
    start: (run) => (i) => {
      const [from, to] = [run.levels[i], run.levels[i + 1]];
      const s = eta === 0 ? 0 : eta * Math.sqrt(transition(from, to).variance);
      if (epsilon === 'model') withModelNoise(run, from, to, s);
      else {
        const [a, b] = ddimMap(from, to, s);
        combine(run.x, [a, run.x], [b, run.denoise(from)]);
      }
      run.addNoise(s);
    },
  });
}

/** x_to = alpha_to·(thresholded x0) + √(sigma_to² - s²)·(the model's eps) */
function withModelNoise(run: SamplingRun, from: NoiseLevel, to: NoiseLevel, s: number): void {
  const { model, x } = run;
  const prediction = run.checked(model.predict(x, from.t), x.shape);
  run.evaluations++;
  run.toData(from, x, prediction);
  const [a, b] = conversion(model.predicts, 'eps', from);
  const direction = Math.sqrt(Math.max(0, to.sigma * to.sigma - s * s));
  combine(x, [direction * a, x], [direction * b, prediction], [to.alpha, run.x0]);
}

/** Options of the sampler `ddim-inversion`. */
export interface DdimInversionOptions extends Omit<SamplerOptions, 'end'> {
  /** The number of fixed-point iterations after the explicit step. Default 0. */
  readonly iterations?: number;
}

/**
 * The inverse of DDIM: from data to the noise from which DDIM with eta 0 and `end: 'first'` makes this data. The data
 * must be at the schedule's level with the least noise.
 * @throws ValueError for iterations that are not a whole number >= 0, or levels that end at sigma 0
 */
export function ddimInversion(options: DdimInversionOptions = {}): Sampler {
  const { end: _end, ...defaults } = SAMPLER_DEFAULTS;
  const { iterations } = withDefaults('ddim-inversion', options, { ...defaults, iterations: 0 });
  checkWhole('ddim-inversion: iterations', iterations);
  return sampler({
    name: 'ddim-inversion',
    order: 1,
    stochastic: false,
    options: { ...options, end: 'first' },
    arrange(levels) {
      if (levels[levels.length - 1].sigma === 0) {
        throw new ValueError('ddimInversion: expected levels that end at sigma > 0, got sigma 0 at the last');
      }
      return levels.reverse();
    },
    start(run) {
      const known = run.buffer();
      return (i) => {
        const [clean, noisy] = [run.levels[i], run.levels[i + 1]];
        known.copyFrom(run.x);
        const [a, b] = ddimMap(clean, noisy);
        combine(run.x, [a, run.x], [b, run.denoise(clean)]);
        const [c, d] = ddimMap(noisy, clean);
        for (let k = 0; k < iterations; k++) {
          combine(run.x, [1 / c, known], [-d / c, run.denoise(noisy)]);
        }
      };
    },
  });
}
