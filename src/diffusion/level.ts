/**
 * A noise level, and the Gaussian transition between two: all that samplers, objectives and bounds know of a
 * schedule. Data x0 at a level is x = alpha·x0 + sigma·eps with eps standard normal; variance preserving
 * schedules have alpha² + sigma² = 1, exploding ones alpha = 1.
 *
 * Source: the general form of Kingma, Salimans, Poole and Ho, "Variational diffusion models" (2021), appendix A,
 * which holds for every alpha and sigma; with alpha² + sigma² = 1 it is equations 4 to 7 of Ho, Jain and Abbeel,
 * "Denoising diffusion probabilistic models" (2020).
 */
import { ValueError } from '../errors.ts';
import { log } from '../math.ts';

export interface NoiseLevel {
  /** The time input of the model. */
  readonly t: number;
  /** Factor of the data, 0 <= alpha <= 1. */
  readonly alpha: number;
  /** Standard deviation of the noise, >= 0. */
  readonly sigma: number;
}

/** sigma/alpha: the noise beside data of scale 1, Karras' sigma. Infinite where nothing of the data is left. */
export function noiseToSignal({ alpha, sigma }: NoiseLevel): number {
  return sigma / alpha;
}

/** The signal-to-noise ratio alpha²/sigma². */
export function snr({ alpha, sigma }: NoiseLevel): number {
  return (alpha / sigma) * (alpha / sigma);
}

/** lambda = ln(alpha/sigma), half the log of the SNR: the time of DPM-Solver and UniPC. */
export function lambda({ alpha, sigma }: NoiseLevel): number {
  return log(alpha / sigma);
}

/** What leads from a noisier level to a cleaner one, given the data: q(x_to | x_from, x0) and its parts. */
export interface Transition {
  /** Variance of q(x_from | x_to): beta of a step. */
  readonly beta: number;
  /** q(x_to | x_from, x0) = N(fromX·x_from + fromX0·x0, variance). */
  readonly fromX: number;
  readonly fromX0: number;
  readonly variance: number;
}

/**
 * The transition between two levels, `from` the noisier.
 * @throws ValueError where `from` is not the noisier one
 */
export function transition(from: NoiseLevel, to: NoiseLevel): Transition {
  const scale = from.alpha / to.alpha;
  const [fromVariance, toVariance] = [from.sigma * from.sigma, to.sigma * to.sigma];
  const beta = fromVariance - scale * scale * toVariance;
  if (!(beta > 0)) {
    throw new ValueError(
      `levels: expected sigma/alpha to fall from ${noiseToSignal(from)}, got ${noiseToSignal(to)} after it (t ${from.t} to ${to.t})`,
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
