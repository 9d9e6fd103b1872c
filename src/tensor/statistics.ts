/**
 * Variance, standard deviation and norms, built from other operators. The derivative of a square root at 0 is infinite.
 * If all deviations are 0, the gradient of `std` and `norm` is 0, as in PyTorch.
 */
import { apply, noGrad } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { withDefaults } from '../options.ts';
import type { ReduceOptions, Tensor } from './tensor.ts';

/** The axes: one, several, or all of them. */
export type Axes = number | readonly number[] | undefined;

/** Options of `var` and `std`. */
export interface VarianceOptions extends ReduceOptions {
  /** The sum of squares is divided by n - correction: 1 by default (Bessel's), 0 for the variance of a population. */
  readonly correction?: number;
}

/** A root of x where x > 0, and 0 with gradient 0 where x = 0. */
function rootOrZero(x: Tensor, root: (x: Tensor) => Tensor = (positive) => positive.sqrt()): Tensor {
  const positive = x.gt(0);
  // We also replace a zero before the root. Otherwise 0 times the infinite derivative would be NaN.
  const safe = apply(ops.where, [positive, x, x.operand('where', 1)], undefined);
  return apply(ops.where, [positive, root(safe), x], undefined);
}

/** Σ (x - mean)² / (n - correction) */
export function variance(
  name: 'var' | 'std',
  x: Tensor,
  axes: readonly number[],
  options: VarianceOptions,
): Tensor {
  const { correction, keepDims } = withDefaults(name, options, { correction: 1, keepDims: false });
  if (!(Number.isFinite(correction) && correction >= 0)) {
    throw new ValueError(`${name}: expected a correction of 0 or more, got ${correction}`);
  }
  // We subtract the maximum first. Equal numbers then become exactly 0, and numbers far from 0 lose no digits.
  const moved = x.size === 0 ? x : x.sub(noGrad(() => x.max(axes, { keepDims: true })));
  const deviation = moved.sub(moved.mean(axes, { keepDims: true }));
  const total = deviation.mul(deviation).sum(axes, { keepDims });
  const n = x.size / Math.max(1, total.size);
  return total.mul(1 / Math.max(0, n - correction));
}

export function standardDeviation(x: Tensor, axes: readonly number[], options: VarianceOptions): Tensor {
  return rootOrZero(variance('std', x, axes, options));
}

/** (Σ |x|^p)^(1/p) */
export function vectorNorm(x: Tensor, p: number, axes: readonly number[], options: ReduceOptions): Tensor {
  const { keepDims } = withDefaults('norm', options, { keepDims: false });
  if (!(p >= 1)) throw new ValueError(`norm: expected p >= 1, such as 1, 2 or Infinity, got ${p}`);
  if (p === Infinity) {
    if (x.size === 0)
      throw new ShapeError(`norm: expected at least one element for p = Infinity, got shape [${x.shape}]`);
    return x.abs().max(axes, { keepDims });
  }
  if (p === 1) return x.abs().sum(axes, { keepDims });
  if (p === 2) return rootOrZero(x.mul(x).sum(axes, { keepDims }));
  return rootOrZero(x.abs().pow(p).sum(axes, { keepDims }), (total) => total.pow(1 / p));
}
