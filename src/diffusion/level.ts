/**
 * A noise level, and the Gaussian transition between two levels. Samplers, objectives and bounds use a schedule only
 * through its levels. Data x0 at a level is x = alpha·x0 + sigma·eps, where eps is standard normal. Variance preserving
 * schedules have alpha² + sigma² = 1, and variance exploding schedules have alpha = 1.
 *
 * Source: Kingma, Salimans, Poole and Ho, "Variational diffusion models" (2021), appendix A. Its general form is valid
 * for every alpha and sigma. With alpha² + sigma² = 1 it is equations 4 to 7 of Ho, Jain and Abbeel, "Denoising
 * diffusion probabilistic models" (2020).
 */
import { ValueError } from '../errors.ts';
import { log } from '../math.ts';

/** How much data and how much noise there is at a time: x = alpha·x0 + sigma·eps. */
export interface NoiseLevel {
  /** The time input of the model. */
  readonly t: number;
  /** The factor of the data, 0 <= alpha <= 1. */
  readonly alpha: number;
  /** The standard deviation of the noise, >= 0. */
  readonly sigma: number;
}

/** sigma/alpha: the noise relative to data of scale 1 (Karras' sigma). It is infinite if alpha is 0. */
export function noiseToSignal({ alpha, sigma }: NoiseLevel): number {
  return sigma / alpha;
}

/** The signal-to-noise ratio alpha²/sigma². */
export function snr({ alpha, sigma }: NoiseLevel): number {
  return (alpha / sigma) * (alpha / sigma);
}

/** lambda = ln(alpha/sigma), half the log of the SNR. DPM-Solver and UniPC use it as their time. */
export function lambda({ alpha, sigma }: NoiseLevel): number {
  return log(alpha / sigma);
}

/** The transition from a level with more noise to one with less, given the data: q(x_to | x_from, x0). */
export interface Transition {
  /** The variance of q(x_from | x_to): the beta of the step. */
  readonly beta: number;
  /** q(x_to | x_from, x0) = N(fromX·x_from + fromX0·x0, variance). */
  readonly fromX: number;
  /** The factor of x0 in that mean. */
  readonly fromX0: number;
  /** That variance. */
  readonly variance: number;
}

/**
 * The transition between two levels. `from` has more noise than `to`.
 * @throws ValueError if `from` does not have more noise
 */
export function transition(from: NoiseLevel, to: NoiseLevel): Transition {
  const scale = from.alpha / to.alpha;
  const [fromVariance, toVariance] = [from.sigma * from.sigma, to.sigma * to.sigma];
  const beta = fromVariance - scale * scale * toVariance;
  if (!(beta > 0)) {
    throw new ValueError(
      `levels: expected sigma/alpha to decrease from ${noiseToSignal(from)}, got ${noiseToSignal(to)} after it (t ${from.t} to ${to.t})`,
    );
  }
  const share = toVariance / fromVariance;
  return {
    beta,
    fromX: scale * share,
    fromX0: (to.alpha * beta) / fromVariance,
    variance: beta * share,
  };
}
