/**
 * The common parts of the DPM-Solver++ samplers. In lambda = ln(alpha/sigma) the probability-flow ODE is linear, except
 * for the predicted data D. Its solution over a step h = lambda_to - lambda_from is
 *
 *   x_to = (sigma_to/sigma_from)·x + alpha_to·∫ e^-(lambda_to - lambda) D d(lambda)
 *
 * If D is constant over the step, this is DDIM. Methods of higher order estimate the slope of D from more evaluations.
 * At a first step from pure noise and a last step to sigma 0, h is infinite. They need no special case, because the
 * code uses e^-h, which is a finite ratio of alphas and sigmas.
 *
 * Source: Lu et al., "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models" (2022).
 */
import { ValueError } from '../../errors.ts';
import { expm1, log } from '../../math.ts';
import type { NoiseLevel } from '../level.ts';
import type { SamplerOptions } from './sampler.ts';

/** Options of the samplers `dpm-solver-2m` and `dpm-solver-sde-2m`. */
export interface MultistepOptions extends SamplerOptions {
  /** The use of D's slope: at the middle of the step (`midpoint`, the default), or in the exact integral (`heun`). */
  readonly variant?: 'midpoint' | 'heun';
  /**
   * Whether the last step is of first order, for stability. Default: if there are fewer than 15 steps, as in diffusers.
   * A step to sigma 0 is always of first order.
   */
  readonly lowerOrderFinal?: boolean;
}

/** @throws ValueError for an unknown variant */
export function checkVariant(name: string, variant: 'midpoint' | 'heun'): void {
  if (variant === 'midpoint' || variant === 'heun') return;
  throw new ValueError(`${name}: expected a variant midpoint or heun, got "${String(variant)}"`);
}

/** Whether step i, to level `to`, is of first order. */
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

/** 1 - e^(-k·h) = -expm1(-k·h), which is accurate for small steps too. */
export function growth(h: number, k = 1): number {
  return -expm1(-k * h);
}
