/** Functions of several tensors. */
import { apply } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { describe, oneOf, withDefaults } from '../options.ts';
import { type LossOptions, reduced, reductionOf } from './reduction.ts';
import { checkAxis } from './shape.ts';
import { type Operand, requireTensor, Tensor } from './tensor.ts';

/** Throws unless `tensors` is an array of at least one tensor. */
function requireTensors(name: string, tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors)) {
    throw new ValueError(`${name}: expected an array of tensors, got ${describe(tensors)}`);
  }
  for (const x of tensors) requireTensor(name, x);
  if (tensors.length === 0) throw new ShapeError(`${name}: expected at least one tensor, got none`);
  return tensors[0];
}

/**
 * Joins tensors along `axis`. All other dimensions must be equal.
 * @throws ShapeError for other dimensions that differ, for scalars, or for no tensors
 */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = requireTensors('cat', tensors);
  if (first.rank === 0) throw new ShapeError('cat: expected tensors of rank 1 or more, got a scalar');
  // We copy the list, because the tape keeps it and the caller may change it.
  return apply(ops.cat, [...tensors], { axis: checkAxis('cat', axis, first.rank) });
}

/**
 * Joins tensors of one shape along a new axis: two of [3,4] make [2,3,4], or along axis 1 [3,2,4].
 * @throws ShapeError for shapes that differ, or for no tensors
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = requireTensors('stack', tensors);
  const other = tensors.find((x) => x.shape.join() !== first.shape.join());
  if (other) {
    throw new ShapeError(`stack: expected equal shapes, got [${first.shape}] and [${other.shape}]`);
  }
  const at = checkAxis('stack', axis, first.rank + 1);
  return cat(
    tensors.map((x) => x.unsqueeze(at)),
    at,
  );
}

/**
 * The elements of `a` where the condition is not 0, and those of `b` elsewhere. All three broadcast. The condition has
 * no gradient. A NaN that is not chosen does not reach the result, and its gradient is 0. This 0 becomes NaN if it is
 * multiplied by an infinite derivative before, as in PyTorch. To avoid this for √x at x <= 0, choose a safe x before
 * the root as well.
 *
 * @param condition such as `x.gt(0)`
 * @throws ShapeError for shapes that do not broadcast
 * @example where(x.gt(0), x, 0) // ReLU
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (!(condition instanceof Tensor)) {
    throw new ValueError(`where: expected a tensor as the condition, got ${describe(condition)}`);
  }
  return apply(
    ops.where,
    [condition.detached(), condition.operand('where', a), condition.operand('where', b)],
    undefined,
  );
}

/**
 * The mean of (a - b)² over all elements, for tensors of one shape.
 * @throws ShapeError for shapes that differ
 */
export function mse(a: Tensor, b: Tensor, options: LossOptions = {}): Tensor {
  const { reduction } = withDefaults('mse', options, { reduction: 'mean' });
  if (reductionOf('mse', reduction) === 'mean') return apply(ops.mse, [a, b], undefined);
  requireTensor('mse', a);
  requireTensor('mse', b);
  if (a.shape.join() !== b.shape.join()) {
    throw new ShapeError(`mse: expected equal shapes, got [${a.shape}] and [${b.shape}]`);
  }
  const d = a.sub(b);
  return reduced(d.mul(d), reduction);
}

/**
 * activation(x·Wᵀ + b) in one pass, with W stored [out,in]: see ops/linear.ts. x is [..., in], and the result [...,
 * out].
 * @throws ShapeError
 */
export function linear(
  x: Tensor,
  w: Tensor,
  b: Tensor | null,
  activation: ops.FusedActivation = 'none',
): Tensor {
  requireTensor('linear', x);
  const fused = oneOf('linear: activation', ops.FUSED_ACTIVATIONS, activation);
  if (x.rank === 1) return linear(x.unsqueeze(0), w, b, fused).squeeze(0);
  if (x.rank > 2) {
    const rows = x.reshape(-1, x.shape[x.rank - 1]);
    return linear(rows, w, b, fused).reshape([...x.shape.slice(0, -1), w.shape[0]]);
  }
  return apply(ops.linear, b ? [x, w, b] : [x, w], { activation: fused });
}
