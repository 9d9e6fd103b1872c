/** Cumulative sums along an axis, y_j = Σ x_p over p <= j; dx_j = Σ dy_p over p >= j. */
import { BATCH, defineOp } from '../autograd/op.ts';
import { aroundAxis } from './broadcast.ts';

export const cumsum = defineOp<{ readonly axis: number }>({
  name: 'cumsum',
  shape: ([x]) => x,
  forward(k, y, [x], { axis }) {
    const out = { ptr: y.ptr, accumulate: false };
    k.cumsum({ ...aroundAxis(x.shape, axis), x: x.ptr, reverse: false, out });
  },
  saves: [],
  vjp: (k, dy, _y, [x], into, { axis }) =>
    into(0, (out) => k.cumsum({ ...aroundAxis(x.shape, axis), x: dy.ptr, reverse: true, out })),
  benchmark: { shapes: [BATCH], attrs: { axis: 1 } },
  samples: () => [
    { shapes: [[7]], attrs: { axis: 0 } },
    { shapes: [[3, 5]], attrs: { axis: 0 } },
    { shapes: [[3, 5]], attrs: { axis: 1 } },
    { shapes: [[2, 3, 4]], attrs: { axis: 1 } },
    { shapes: [[0, 2]], attrs: { axis: 0 } },
  ],
});
