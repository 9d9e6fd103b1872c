/**
 * The epilogue of a product or a convolution, y = activation(z + b): what its kernel does before it stores the result.
 *
 * Activations are those whose derivative can be written by y: the op keeps no z.
 */
import type { GradSink } from '../autograd/op.ts';
import { sizeOf, type Variable } from '../autograd/variable.ts';
import type { Kernels, Ptr } from '../backend/kernels.ts';

export const FUSED_ACTIVATIONS = ['none', 'relu', 'sigmoid', 'tanh'] as const;
export type FusedActivation = (typeof FUSED_ACTIVATIONS)[number];

/**
 * Backwards through the epilogue of an op whose inputs are x, W and b: adds the gradient of b, the sum of
 * dz = dy·activation'(z) over all rows, and returns dz. It is in scratch memory, or dy itself without an activation.
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
