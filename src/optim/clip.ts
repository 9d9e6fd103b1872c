/**
 * Gradient clipping in place, as `torch.nn.utils.clip_grad_norm_` and `clip_grad_value_`.
 *
 *     norm = (Σ |g|^p)^(1/p) over all gradients together;   g *= min(1, maxNorm/(norm + 1e-6))
 *
 * The sum of each parameter is one kernel call. The sums are added in float64 in the order of the parameters. So the
 * norm does not depend on the gradients' addresses or on threads. If the norm is NaN, every gradient becomes NaN, as in
 * PyTorch.
 *
 * Source: Pascanu, Mikolov, Bengio (2013), "On the difficulty of training recurrent neural networks".
 */
import { copyArray, type Ptr, rowOf } from '../backend/kernels.ts';
import { DivergenceError, ValueError } from '../errors.ts';
import { pow } from '../math.ts';
import { withScratch } from '../ops/scratch.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkParameters } from './optimizer.ts';

/** Options of `clipGradNorm`. */
export interface ClipGradNormOptions {
  /** The p of the norm, a number > 0. Infinity gives the largest magnitude. 2 by default. */
  readonly normType?: number;
  /** Whether to throw if the norm is NaN or infinite; false by default. */
  readonly errorIfNonfinite?: boolean;
}

/**
 * Scales the gradients so that their norm, over all parameters together, is at most `maxNorm`. Parameters without a
 * gradient are skipped.
 *
 * @returns the norm before clipping; 0 if no parameter has a gradient
 * @throws ValueError for a value that is not a tensor, or for a norm or a norm type that is not > 0
 * @throws DivergenceError with `errorIfNonfinite`, before any gradient is changed
 */
export function clipGradNorm(
  parameters: readonly Tensor[],
  maxNorm: number,
  options: ClipGradNormOptions = {},
): number {
  const { normType, errorIfNonfinite } = withDefaults('clipGradNorm', options, {
    normType: 2,
    errorIfNonfinite: false,
  });
  if (!(maxNorm > 0)) throw new ValueError(`clipGradNorm: expected a norm > 0, got ${maxNorm}`);
  if (!(normType > 0)) throw new ValueError(`clipGradNorm: expected a norm type > 0, got ${normType}`);
  const gradients = gradientsOf('clipGradNorm', parameters);
  const norm = totalNorm(gradients, normType);
  if (errorIfNonfinite && !Number.isFinite(norm)) {
    throw new DivergenceError(`clipGradNorm: expected a finite norm of the gradients, got ${norm}`);
  }
  const factor = Math.min(1, maxNorm / (norm + 1e-6));
  if (factor === 1) return norm;
  for (const gradient of gradients) {
    const { backend, size, ptr } = gradient;
    copyArray(backend.kernels, size, ptr, { ptr, accumulate: false }, factor);
    gradient.markWritten();
  }
  return norm;
}

/**
 * Clamps every element of every gradient to [-value, value]. Parameters without a gradient are skipped.
 * @throws ValueError for a parameter that is not a tensor, or for a value that is not >= 0
 */
export function clipGradValue(parameters: readonly Tensor[], value: number): void {
  if (!(value >= 0)) throw new ValueError(`clipGradValue: expected a value >= 0, got ${value}`);
  for (const gradient of gradientsOf('clipGradValue', parameters)) {
    const { backend, size, ptr } = gradient;
    const out = { ptr, accumulate: false };
    backend.kernels.unary('clamp', { n: size, x: ptr, out, lo: -value, hi: value });
    gradient.markWritten();
  }
}

function gradientsOf(what: string, parameters: readonly Tensor[]): Tensor[] {
  checkParameters(what, parameters);
  return parameters.flatMap(({ grad }) => grad ?? []);
}

/** (Σ |g|^p)^(1/p), or max |g| for p = Infinity. */
function totalNorm(gradients: readonly Tensor[], p: number): number {
  const parts = gradients.filter(({ size }) => size > 0).map((gradient) => partOfNorm(gradient, p));
  if (p === Infinity) return Math.max(0, ...parts);
  const total = parts.reduce((sum, part) => sum + part, 0);
  return p === 1 ? total : p === 2 ? Math.sqrt(total) : pow(total, 1 / p);
}

/** Σ |g|^p of one gradient, or max |g| for p = Infinity. */
function partOfNorm(gradient: Tensor, p: number): number {
  const { backend, size: n } = gradient;
  const { kernels, at } = backend;
  let part = 0;
  withScratch(backend, (scratch) => {
    const y = scratch(1);
    const reduce = (name: 'sum' | 'sumSquares' | 'max', x: Ptr) =>
      kernels.reduce(name, { outer: 1, n, inner: 1, x, alpha: 1, out: { ptr: y, accumulate: false } });
    if (p === 2) reduce('sumSquares', gradient.ptr);
    else {
      const powers = { ptr: scratch(n), accumulate: false };
      kernels.unary('abs', { n, x: gradient.ptr, out: powers });
      if (p !== 1 && p !== Infinity) {
        const b = { ptr: scratch(1), row: 0, col: 0 };
        kernels.fill({ n: 1, out: b.ptr, value: p });
        kernels.binary('pow', { rows: 1, cols: n, a: rowOf(powers.ptr, n), b, out: powers });
      }
      reduce(p === Infinity ? 'max' : 'sum', powers.ptr);
    }
    part = at(y);
  });
  return part;
}
