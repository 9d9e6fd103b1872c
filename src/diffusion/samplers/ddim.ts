/**
 * DDIM, and its inversion. A step keeps the predicted data and the predicted noise, and lowers the noise:
 *
 *   x_to = alpha_to·x0 + √(sigma_to² - s²)·eps + s·z,   s² = eta²·betaTilde
 *
 * eta 0 is deterministic, an integrator of the probability-flow ODE of order 1; eta 1 is DDPM with the small
 * variance. The noise is recomputed from thresholded data unless `epsilon` is `model`, as diffusers has it.
 *
 * The inversion runs the grid upwards, from its cleanest level to its noisiest. A step backwards is implicit, as
 * the model would have to be asked at the unknown noisier state: it is asked at the known one first, and each
 * further iteration of `iterations` is one of a fixed-point iteration, until DDIM leads back to where it came from.
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
import { conversion, type Pair } from '../prediction.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, type SamplingRun, sampler } from './sampler.ts';

export interface DdimOptions extends SamplerOptions {
  /** From 0, deterministic, by default, to 1. */
  readonly eta?: number;
  /** Where thresholding changes x0: the noise that belongs to it, or the model's own. `thresholded` by default. */
  readonly epsilon?: 'thresholded' | 'model';
}

/** (a, b): DDIM's x_to is a·x + b·x0, with noise of standard deviation s to be added. */
export function ddimMap(from: NoiseLevel, to: NoiseLevel, s = 0): Pair {
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

export interface DdimInversionOptions extends Omit<SamplerOptions, 'end'> {
  /** Fixed-point iterations after the explicit step: 0 by default. */
  readonly iterations?: number;
}

/**
 * The way back: from data, taken to be at the schedule's cleanest level, to the noise that DDIM with eta 0 and
 * `end: 'first'` makes them of.
 * @throws ValueError for iterations that are no whole number >= 0, or levels that end at sigma 0
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
