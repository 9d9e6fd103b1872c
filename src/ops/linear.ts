/**
 * A dense layer as one op: y[m,out] = activation(x[m,in]·Wᵀ + b), W stored [out,in] as PyTorch stores it.
 * Bias and activation are applied by the GEMM before it stores its result. Backwards, with
 * dz = dy·activation'(z): dW = dzᵀ·x straight into the gradient, db = the column sums of dz, and dx = dz·W
 * where something wants it.
 *
 * Only activations whose derivative can be written by y are here: ReLU, sigmoid and tanh.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import type { BinaryName } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';

export type FusedActivation = 'none' | 'relu' | 'sigmoid' | 'tanh';

const BACKWARD: Record<Exclude<FusedActivation, 'none'>, BinaryName> = {
  relu: 'reluBackward',
  sigmoid: 'sigmoidBackward',
  tanh: 'tanhBackward',
};

/** Inputs x[m,in], W[out,in] and, unless the layer has none, b[out]. */
export const linear = defineOp<{ readonly activation: FusedActivation }>({
  name: 'linear',
  shape([x, w, b]) {
    if (x!.length !== 2 || w!.length !== 2 || x![1] !== w![1]) {
      throw new ShapeError(`linear: expected x[m,in]·W[out,in]ᵀ, got [${x}]·[${w}]ᵀ`);
    }
    if (b && (b.length !== 1 || b[0] !== w![0])) {
      throw new ShapeError(`linear: expected a bias [${w![0]}], got [${b}]`);
    }
    return [x![0]!, w![0]!];
  },
  forward(k, y, [x, w, b], { activation }) {
    const [m, out] = y.shape as [number, number];
    k.gemm(m, out, x!.shape[1]!, x!.ptr, false, w!.ptr, true, y.ptr, false, b ? b.ptr : null, activation);
  },
  vjp(k, dy, y, [x, w, b], into, { activation }) {
    const [m, out] = y.shape as [number, number];
    const inner = x!.shape[1]!;
    let dz = dy.ptr;
    if (activation !== 'none') {
      dz = into.scratch(y.size);
      const dense = (ptr: number) => ({ ptr, row: y.size, col: 1 });
      k.binary(BACKWARD[activation], 1, y.size, dense(y.ptr), dense(dy.ptr), dz, false);
    }
    into(1, (dw, accumulate) => k.gemm(out, inner, m, dz, true, x!.ptr, false, dw, accumulate));
    if (b) into(2, (db, accumulate) => k.reduce('sum', 1, m, out, dz, db, 1, accumulate));
    into(0, (dx, accumulate) => k.gemm(m, inner, out, dz, false, w!.ptr, false, dx, accumulate));
  },
  samples: () => [
    ...(['none', 'relu', 'sigmoid', 'tanh'] as const).map((activation) => ({
      shapes: [[3, 4], [5, 4], [5]],
      attrs: { activation },
    })),
    { shapes: [[9, 7], [13, 7], [13]], attrs: { activation: 'sigmoid' } },
    {
      shapes: [
        [2, 3],
        [4, 3],
      ],
      attrs: { activation: 'none' },
    },
    { shapes: [[0, 3], [4, 3], [4]], attrs: { activation: 'relu' } },
  ],
  benchmark: { shapes: [BATCH, [400, 784], [400]], attrs: { activation: 'relu' } },
});
