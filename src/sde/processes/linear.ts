/**
 * The linear equation with additive noise, dX = (a0(t) + a1(t) X) dt + b0(t) dW. Most processes here have this form.
 * X(t) given X(s) = x is normal with mean `scale(s, t)·x + shift(s, t)` and variance `variance(s, t)`.
 */
import { expm1 } from '../../math.ts';
import { full } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { normalLaw } from '../law.ts';
import type { Affine } from '../sde.ts';
import type { Process } from './process.ts';

export interface ClosedForm {
  scale(s: number, t: number): number;
  shift(s: number, t: number): number;
  variance(s: number, t: number): number;
}

/** Drift, diffusion, law and exact transition of a linear equation with additive noise. */
export function linearProcess(
  coefficients: (t: number) => Omit<Affine, 'b1'>,
  { scale, shift, variance }: ClosedForm,
): Pick<Process, 'noise' | 'drift' | 'diffusion' | 'affine' | 'law' | 'transition'> {
  return {
    noise: 'additive',
    drift(x, t) {
      const { a0, a1 } = coefficients(t);
      return affine(x, a1, a0);
    },
    diffusion: (_x, t) => full([], coefficients(t).b0),
    affine: (t) => ({ ...coefficients(t), b1: 0 }),
    law: (x, s, t) => normalLaw(scale(s, t) * x + shift(s, t), variance(s, t)),
    transition: (x, t, dt, dW) => {
      const z = dW.mul(Math.sqrt(variance(t, t + dt) / dt));
      return affine(x, scale(t, t + dt), shift(t, t + dt)).add(z);
    },
  };
}

/** factor·x + term. Skips the product if factor is 1 and the sum if term is 0. */
export function affine(x: Tensor, factor: number, term: number): Tensor {
  if (factor === 0) return full([], term);
  const scaled = factor === 1 ? x : x.mul(factor);
  return term === 0 ? scaled : scaled.add(term);
}

/** (e^(rate·t) - 1)/rate, and its limit t for rate 0. */
export const grown = (rate: number, t: number): number => (rate === 0 ? t : expm1(rate * t) / rate);
