/**
 * Activations that a product or a convolution applies before it stores its result, and their derivative. They are those
 * whose derivative can be written by y: the op keeps no z.
 */
import type { GradSink } from '../autograd/op.ts';
import type { Variable } from '../autograd/variable.ts';
import type { Kernels, Ptr } from '../backend/kernels.ts';

export const FUSED_ACTIVATIONS = ['none', 'relu', 'sigmoid', 'tanh'] as const;
export type FusedActivation = (typeof FUSED_ACTIVATIONS)[number];

/** dz = dy·activation'(z) of y = activation(z): in scratch memory, or dy itself where there is no activation. */
export function beforeActivation(
  k: Kernels,
  activation: FusedActivation,
  dy: Variable,
  y: Variable,
  into: GradSink,
): Ptr {
  if (activation === 'none') return dy.ptr;
  const ptr = into.scratch(y.size);
  k.unaryBackward(activation, { n: y.size, dy: dy.ptr, kept: y.ptr, out: { ptr, accumulate: false } });
  return ptr;
}
