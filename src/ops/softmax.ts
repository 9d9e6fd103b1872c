/**
 * Softmax of rows, y = e^x / Σ e^x along the last axis, and its logarithm. The maximum of a row is subtracted first, so
 * that no exponential overflows.
 *
 *     softmax       dx = y·(dy - Σ dy·y)
 *     logSoftmax    dx = dy - softmax(x)·Σ dy
 */
import { BATCH, defineOp, type OpDef } from '../autograd/op.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
import { SOFTMAX, type SoftmaxName } from '../backend/kernels.ts';

/** The number of rows of an array, and their length. */
function rowsOf(shape: Shape) {
  return { rows: sizeOf(shape.slice(0, -1)), cols: shape[shape.length - 1] };
}

function softmaxOp(name: SoftmaxName): OpDef {
  const saved = name === 'softmax' ? 'y' : 0;
  return defineOp<void>({
    name,
    shape: ([x]) => x,
    forward: (k, y, [x]) => k.softmax(name, { ...rowsOf(x.shape), x: x.ptr, out: y.ptr }),
    saves: [saved],
    vjp(k, dy, y, [x], into) {
      const kept = saved === 'y' ? y.ptr : x.ptr;
      into(0, (out) => {
        const scratch = into.scratch(x.size);
        k.softmaxBackward(name, { ...rowsOf(x.shape), dy: dy.ptr, kept, scratch, out });
      });
    },
    benchmark: { shapes: [BATCH], attrs: undefined },
    samples: () =>
      [[5], [3, 4], [2, 3, 7], [2, 1], [0, 3], [2, 0], [1, 17]].map((shape) => ({
        shapes: [shape],
        attrs: undefined,
      })),
  });
}

/** The ops by their names. */
export const softmax = Object.fromEntries(SOFTMAX.map((name) => [name, softmaxOp(name)])) as Readonly<
  Record<SoftmaxName, OpDef>
>;
