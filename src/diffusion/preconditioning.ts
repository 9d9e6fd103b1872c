/**
 * EDM's preconditioning: scalings that keep the inputs and the targets of a network F at variance 1 for any noise. For
 * x = alpha·x0 + sigma·eps and data with the standard deviation d,
 *
 *   x0 ≈ skip·x + out·F(in·x),   skip = d²·alpha/r²,   out = d·sigma/r,   in = 1/r,   r² = d²·alpha² + sigma²
 *
 * So the target of F is (x0 - skip·x)/out = (sigma/(d·r))·x0 - (d·alpha/r)·eps. With d = 1 and alpha² + sigma² = 1 it is
 * -v. The formulas hold for any alpha and sigma that are not both 0, and for alpha = 1 they are the paper's.
 *
 * Source: Karras, Aittala, Aila and Laine, "Elucidating the design space of diffusion-based generative models" (2022),
 * table 1. Left out: the time input of F, which each user of the scalings chooses.
 */
import type { NoiseLevel } from './level.ts';

/** The data's standard deviation in EDM, for data in [-1, 1]. */
export const SIGMA_DATA = 0.5;

/** The mean and the standard deviation of ln(sigma/alpha) in EDM's training. */
export const EDM_NOISE = { mean: -1.2, std: 1.2 };

/** The three scalings of EDM's denoiser, D = skip·x + out·F(in·x). */
export interface Scalings {
  /** The factor of x in D. */
  readonly skip: number;
  /** The factor of the network's output. */
  readonly out: number;
  /** The factor of the network's input. */
  readonly in: number;
}

/** The three scalings at a level of noise. */
export function scalingsAt({ alpha, sigma }: Omit<NoiseLevel, 't'>, sigmaData = SIGMA_DATA): Scalings {
  const total = sigma * sigma + sigmaData * sigmaData * alpha * alpha;
  const root = Math.sqrt(total);
  return { skip: (sigmaData * sigmaData * alpha) / total, out: (sigma * sigmaData) / root, in: 1 / root };
}

/** (p, q): the target of F is p·x0 + q·eps. It is finite at sigma = 0, where out is 0. */
export function targetRow(
  { alpha, sigma }: Omit<NoiseLevel, 't'>,
  sigmaData = SIGMA_DATA,
): readonly [p: number, q: number] {
  const { in: scale } = scalingsAt({ alpha, sigma }, sigmaData);
  return [(sigma * scale) / sigmaData, -sigmaData * alpha * scale];
}
