/**
 * EDM's denoiser and its loss, with the scalings of preconditioning.ts and the paper's time input. With y = x/alpha and
 * s = sigma/alpha,
 *
 *   D(y; s) = cSkip·y + cOut·F(cIn·y, cNoise),   cNoise = ln(s)/4
 *
 * and D predicts the data. The loss weights the squared error of D by 1/cOut². That is the squared error of F with the
 * target (x0 - cSkip·y)/cOut. In training the noise is random: ln(s) = mean + std·z, with mean -1.2 and std 1.2.
 *
 * Source: Karras, Aittala, Aila and Laine (2022), section 5 and table 1.
 */
import { scope } from '../autograd/tape.ts';
import { exp, log } from '../math.ts';
import { withDefaults } from '../options.ts';
import type { Rng } from '../random/rng.ts';
import { mse } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkNumber } from './check.ts';
import { noiseToSignal } from './level.ts';
import { type Network, sameTime } from './objective.ts';
import { EDM_NOISE, type Scalings, SIGMA_DATA, scalingsAt } from './preconditioning.ts';
import type { Predictor } from './prediction.ts';
import { perSample } from './process.ts';
import type { NoiseSchedule } from './schedule.ts';

/** Options of `edmLoss`. */
export interface EdmLossOptions {
  /** The data's standard deviation. Default 0.5. */
  readonly sigmaData?: number;
  /** The mean of ln(s). Default -1.2. */
  readonly mean?: number;
  /** The standard deviation of ln(s). Default 1.2. */
  readonly std?: number;
}

/** The four scalings of EDM's denoiser, D = skip·x + out·F(in·x, noise). */
export interface Preconditioning extends Scalings {
  /** The time input of F: ln(s)/4. */
  readonly noise: number;
}

/** The four scalings at noise s > 0. */
export function preconditioning(s: number, sigmaData = SIGMA_DATA): Preconditioning {
  return { ...scalingsAt({ alpha: 1, sigma: s }, sigmaData), noise: log(s) / 4 };
}

/**
 * The denoiser D of a network F, as a predictor of x0 on any schedule. The time input of F is cNoise.
 * @throws ValueError for a `sigmaData` that is not > 0
 */
export function edmPredictor(network: Network, schedule: NoiseSchedule, sigmaData = SIGMA_DATA): Predictor {
  checkNumber('edm: sigmaData', sigmaData, 1e-12);
  return {
    predicts: 'x0',
    predict(x, t) {
      const level = schedule.level(t);
      const c = scalingsAt(level, sigmaData);
      const F = network(x.mul(c.in), sameTime(x, log(noiseToSignal(level)) / 4));
      return x.mul(c.skip).add(F.mul(c.out));
    },
  };
}

/**
 * EDM's loss of a batch x0 [batch, ...]: a scalar with a graph.
 * @throws ValueError for a `sigmaData` that is not > 0
 */
export function edmLoss(network: Network, x0: Tensor, rng: Rng, options: EdmLossOptions = {}): Tensor {
  const { sigmaData, mean, std } = withDefaults('edmLoss', options, {
    ...EDM_NOISE,
    sigmaData: SIGMA_DATA,
  });
  checkNumber('edm: sigmaData', sigmaData, 1e-12);
  const z = scope(() => rng.normal([x0.shape[0] ?? 1]).toTypedArray());
  const sigmas = Float64Array.from(z, (value) => exp(mean + std * value));
  return edmLossAt(network, x0, sigmas, rng.normalInto(x0.empty(x0.shape)), sigmaData);
}

/** EDM's loss for given noise: s for each sample, and normals of x0's shape. */
export function edmLossAt(
  network: Network,
  x0: Tensor,
  sigmas: ArrayLike<number>,
  eps: Tensor,
  sigmaData = SIGMA_DATA,
): Tensor {
  const scalings = Array.from(sigmas, (s) => preconditioning(s, sigmaData));
  const each = (values: ArrayLike<number>) => perSample(values, x0);
  const y = x0.add(eps.mul(each(sigmas)));
  const input = y.mul(each(scalings.map((c) => c.in)));
  const prediction = network(
    input,
    scalings.map((c) => c.noise),
  );
  const target = x0.sub(y.mul(each(scalings.map((c) => c.skip))));
  return mse(prediction, target.mul(each(scalings.map((c) => 1 / c.out))));
}
