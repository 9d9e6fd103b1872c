/**
 * A choice between two tensors, y = condition ≠ 0 ? a : b. All three broadcast to one shape. da is dy where the
 * condition holds, and db is dy where it does not; elsewhere they are 0. The gradient of the condition is 0. A NaN in
 * the operand that is not chosen has no effect in either pass.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import type { Variable } from '../autograd/variable.ts';
import type { Kernels, Ptr, Target } from '../backend/kernels.ts';
import { broadcast, broadcastShape, dense, forEachPlane, intoBroadcast, type Strided } from './broadcast.ts';

/** out[y.shape] = [out +] (condition ≠ 0 ? a : b) */
function choose(k: Kernels, y: Variable, condition: Variable, a: Strided, b: Strided, out: Target): void {
  const operands = [broadcast(condition.ptr, condition.shape, y.shape), a, b, dense(out.ptr, y.shape)];
  forEachPlane(y.backend, y.shape, operands, ([condition, a, b, { ptr }], rows, cols) =>
    k.where({ rows, cols, condition, a, b, out: { ptr, accumulate: out.accumulate } }),
  );
}

export const where = defineOp({
  name: 'where',
  shape: ([condition, a, b]) => broadcastShape('where', condition, broadcastShape('where', a, b)),
  forward(k, y, [condition, a, b]) {
    const operands = [a, b].map(({ ptr, shape }) => broadcast(ptr, shape, y.shape));
    choose(k, y, condition, operands[0], operands[1], { ptr: y.ptr, accumulate: false });
  },
  saves: [0],
  vjp(k, dy, y, [condition, a, b], into) {
    const zero = (): Ptr => {
      const ptr = into.scratch(1);
      k.fill({ n: 1, out: ptr, value: 0 });
      return ptr;
    };
    const nothing = () => broadcast(zero(), [], y.shape);
    const gradient = dense(dy.ptr, y.shape);
    into(0, ({ ptr, accumulate }) => {
      if (!accumulate) k.fill({ n: condition.size, out: ptr, value: 0 });
    });
    intoBroadcast(into, 1, a, y.shape, (out) => choose(k, y, condition, gradient, nothing(), out));
    intoBroadcast(into, 2, b, y.shape, (out) => choose(k, y, condition, nothing(), gradient, out));
  },
  benchmark: { shapes: [BATCH, BATCH, BATCH], attrs: undefined },
  samples: () => [
    { shapes: [[6], [6], [6]], attrs: undefined },
    { shapes: [[2, 3], [3], []], attrs: undefined },
    { shapes: [[3], [2, 1], [2, 3]], attrs: undefined },
    {
      shapes: [
        [2, 1, 3],
        [4, 1],
        [2, 4, 3],
      ],
      attrs: undefined,
    },
    { shapes: [[], [], [2]], attrs: undefined },
    { shapes: [[0, 3], [3], [0, 1]], attrs: undefined },
  ],
});
