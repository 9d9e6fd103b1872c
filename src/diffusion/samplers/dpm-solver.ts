/**
 * What the samplers of the DPM-Solver++ family share. In lambda = ln(alpha/sigma) the probability-flow ODE is
 * linear but for the predicted data D, and its solution over a step h = lambda_to - lambda_from is
 *
 *   x_to = (sigma_to/sigma_from)·x + alpha_to·∫ e^-(lambda_to - lambda) D d(lambda)
 *
 * With D constant over the step this is DDIM; methods of higher order take D's slope from further evaluations.
 * e^-h is a ratio of the levels' own numbers, so that first steps from zero SNR and last steps to sigma 0, where h
 * is infinite, need no special case.
 *
 * Source: Lu et al., "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models" (2022).
 */
import { ValueError } from '../../errors.ts';
import { expm1, log } from '../../math.ts';
import type { NoiseLevel } from '../level.ts';
import type { SamplerOptions } from './sampler.ts';

export interface MultistepOptions extends SamplerOptions {
  /** How the slope of D enters: its value at the middle of the step, or its exact integral. `midpoint` by default. */
  readonly variant?: 'midpoint' | 'heun';
  /**
   * Whether the last step is of first order, for stability: by default with fewer than 15 steps (as diffusers), and
   * always to sigma 0, where there is no other way.
   */
  readonly lowerOrderFinal?: boolean;
}

/** @throws ValueError for an unknown variant */
export function checkVariant(name: string, variant: 'midpoint' | 'heun'): void {
  if (variant === 'midpoint' || variant === 'heun') return;
  throw new ValueError(`${name}: expected a variant midpoint or heun, got "${String(variant)}"`);
}

/** Whether step i, to level `to`, is to be of first order. */
export function isFirstOrder(
  i: number,
  steps: number,
  to: NoiseLevel,
  { lowerOrderFinal }: MultistepOptions,
): boolean {
  return i === 0 || to.sigma === 0 || (i === steps - 1 && (lowerOrderFinal ?? steps < 15));
}

/** e^-h = (alpha_from·sigma_to)/(sigma_from·alpha_to), h = lambda_to - lambda_from >= 0. */
export function decay(from: NoiseLevel, to: NoiseLevel): number {
  return (from.alpha / from.sigma) * (to.sigma / to.alpha);
}

/** h = lambda_to - lambda_from, which may be infinite. */
export function lambdaStep(from: NoiseLevel, to: NoiseLevel): number {
  return -log(decay(from, to));
}

/** -expm1(-k·h) = 1 - e^(-k·h), without loss for small steps. */
export function growth(h: number, k = 1): number {
  return -expm1(-k * h);
}
