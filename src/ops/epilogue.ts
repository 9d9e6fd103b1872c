/**
 * The epilogue of a product or a convolution, y = activation(z + b). The kernel applies it before it stores the result.
 *
 * Only activations are allowed whose derivative is a function of y. So the op does not store z.
 */
import type { GradSink } from '../autograd/op.ts';
import { sizeOf, type Variable } from '../autograd/variable.ts';
import type { Kernels, Ptr } from '../backend/kernels.ts';

export const FUSED_ACTIVATIONS = ['none', 'relu', 'sigmoid', 'tanh'] as const;
export type FusedActivation = (typeof FUSED_ACTIVATIONS)[number];

/**
 * The backward pass through the epilogue of an op with inputs x, W and b. It adds the gradient of b, which is the sum
 * of dz = dy·activation'(z) over all rows, and returns dz. Without an activation dz is dy itself; else it lies in
 * scratch memory.
 */
export function epilogueGradient(
  k: Kernels,
  activation: FusedActivation,
  dy: Variable,
  y: Variable,
  b: Variable | undefined,
  into: GradSink,
): Ptr {
  let dz = dy.ptr;
  if (activation !== 'none') {
    dz = into.scratch(y.size);
    const out = { ptr: dz, accumulate: false };
    k.unaryBackward(activation, { n: y.size, dy: dy.ptr, kept: y.ptr, out });
  }
  if (b) {
    const n = sizeOf(y.shape.slice(0, -1));
    into(2, (out) => k.reduce('sum', { outer: 1, n, inner: b.size, x: dz, alpha: 1, out }));
  }
  return dz;
}
