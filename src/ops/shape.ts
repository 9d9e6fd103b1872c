/**
 * Ops that only move elements: reshape, permute, flip, slice, cat and broadcasting. The forward pass is one strided
 * copy. The backward pass is the same copy in the other direction.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import { type Shape, sizeOf, type Variable } from '../autograd/variable.ts';
import { copyArray } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { broadcast, copyStrided, dense, reduceAxes, repeats, type Strided, stridesOf } from './broadcast.ts';

/** The same elements, in the same order and memory, under another shape. */
export const reshape = defineOp<{ readonly shape: Shape }>({
  name: 'reshape',
  alias: true,
  shape([x], { shape }) {
    if (sizeOf(x) !== sizeOf(shape)) {
      throw new ShapeError(`reshape: expected ${sizeOf(x)} elements as in [${x}], got shape [${shape}]`);
    }
    return shape;
  },
  forward() {},
  saves: [],
  vjp: (k, dy, _y, _xs, into) => into(0, (out) => copyArray(k, dy.size, dy.ptr, out)),
  benchmark: { shapes: [BATCH], attrs: { shape: [64, 28, 28] } },
  samples: () => [
    { shapes: [[2, 3]], attrs: { shape: [3, 2] } },
    { shapes: [[4]], attrs: { shape: [2, 1, 2] } },
    { shapes: [[1]], attrs: { shape: [] } },
  ],
});

/** An array of that shape, read with its axes in another order. */
function permuted(ptr: number, shape: Shape, order: readonly number[]): Strided {
  const strides = stridesOf(shape);
  return { ptr, strides: order.map((axis) => strides[axis]) };
}

/** y's axis i is x's axis order[i]. */
export const permute = defineOp<{ readonly order: readonly number[] }>({
  name: 'permute',
  shape: ([x], { order }) => order.map((axis) => x[axis]),
  forward: (_k, y, [x], { order }) =>
    copyStrided(y.backend, y.shape, permuted(x.ptr, x.shape, order), dense(y.ptr, y.shape)),
  saves: [],
  vjp: (_k, dy, y, [x], into, { order }) =>
    into(0, ({ ptr, accumulate }) =>
      copyStrided(y.backend, y.shape, dense(dy.ptr, y.shape), permuted(ptr, x.shape, order), { accumulate }),
    ),
  benchmark: { shapes: [BATCH], attrs: { order: [1, 0] } },
  samples: () => [
    { shapes: [[3, 5]], attrs: { order: [1, 0] } },
    { shapes: [[17, 33]], attrs: { order: [1, 0] } },
    { shapes: [[2, 3, 4]], attrs: { order: [2, 0, 1] } },
    { shapes: [[2, 3, 4, 2]], attrs: { order: [0, 2, 1, 3] } },
    { shapes: [[]], attrs: { order: [] } },
  ],
});

/** An array of that shape, read in the opposite direction along some axes. */
function flipped(ptr: number, { shape, backend }: Variable, axes: readonly number[]): Strided {
  const strides = stridesOf(shape);
  const last = axes.reduce((sum, axis) => sum + (shape[axis] - 1) * strides[axis], 0);
  return {
    ptr: ptr + last * backend.elementBytes,
    strides: strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
  };
}

/** x in the opposite order along some axes. */
export const flip = defineOp<{ readonly axes: readonly number[] }>({
  name: 'flip',
  shape: ([x]) => x,
  forward: (_k, y, [x], { axes }) =>
    copyStrided(y.backend, y.shape, flipped(x.ptr, x, axes), dense(y.ptr, y.shape)),
  saves: [],
  vjp: (_k, dy, y, [x], into, { axes }) =>
    into(0, ({ ptr, accumulate }) =>
      copyStrided(y.backend, y.shape, flipped(dy.ptr, y, axes), dense(ptr, x.shape), { accumulate }),
    ),
  benchmark: { shapes: [BATCH], attrs: { axes: [1] } },
  samples: () => [
    { shapes: [[5]], attrs: { axes: [0] } },
    { shapes: [[3, 4]], attrs: { axes: [1] } },
    { shapes: [[2, 3, 4]], attrs: { axes: [0, 1] } },
    { shapes: [[2, 3, 4]], attrs: { axes: [0, 1, 2] } },
    { shapes: [[2, 0]], attrs: { axes: [0] } },
    { shapes: [[2, 3]], attrs: { axes: [] } },
  ],
});

/** The part of an array of x's shape that starts at `begin`. */
function partOf(ptr: number, x: Variable, begin: readonly number[]): Strided {
  const strides = stridesOf(x.shape);
  const first = begin.reduce((sum, b, i) => sum + b * strides[i], 0);
  return { ptr: ptr + first * x.backend.elementBytes, strides };
}

/** The box of shape `size` that starts at `begin`. */
export const slice = defineOp<{ readonly begin: readonly number[]; readonly size: Shape }>({
  name: 'slice',
  shape([x], { begin, size }) {
    const fits = size.length === x.length && size.every((n, i) => begin[i] >= 0 && begin[i] + n <= x[i]);
    if (!fits) throw new ShapeError(`slice: expected a box inside [${x}], got [${size}] from [${begin}] on`);
    return size;
  },
  forward: (_k, y, [x], { begin }) =>
    copyStrided(y.backend, y.shape, partOf(x.ptr, x, begin), dense(y.ptr, y.shape)),
  saves: [],
  vjp: (k, dy, y, [x], into, { begin }) =>
    into(0, ({ ptr, accumulate }) => {
      if (!accumulate) k.fill({ n: x.size, out: ptr, value: 0 });
      copyStrided(y.backend, y.shape, dense(dy.ptr, y.shape), partOf(ptr, x, begin), { accumulate: true });
    }),
  benchmark: { shapes: [[64, 785]], attrs: { begin: [0, 1], size: BATCH } },
  samples: () => [
    { shapes: [[7]], attrs: { begin: [2], size: [3] } },
    { shapes: [[4, 5]], attrs: { begin: [1, 2], size: [2, 3] } },
    { shapes: [[3, 4, 5]], attrs: { begin: [0, 1, 0], size: [3, 2, 5] } },
    { shapes: [[4, 5]], attrs: { begin: [1, 0], size: [0, 5] } },
  ],
});

/** For each input, its part along `axis` in an array of y's shape. */
function parts(ptr: number, y: Variable, xs: readonly Variable[], axis: number) {
  let begin = 0;
  return xs.map((x, i) => {
    const part = partOf(
      ptr,
      y,
      y.shape.map((_, a) => (a === axis ? begin : 0)),
    );
    begin += x.shape[axis];
    return { i, x, part };
  });
}

/** Joins tensors along `axis`. All other dimensions are equal. */
export const cat = defineOp<{ readonly axis: number }>({
  name: 'cat',
  shape(shapes, { axis }) {
    const [first, ...rest] = shapes as [Shape, ...Shape[]];
    let n = first[axis];
    for (const shape of rest) {
      const fits = shape.length === first.length && shape.every((m, i) => i === axis || m === first[i]);
      if (!fits)
        throw new ShapeError(
          `cat: expected shapes equal but for axis ${axis}, got [${first}] and [${shape}]`,
        );
      n += shape[axis];
    }
    return first.map((m, i) => (i === axis ? n : m));
  },
  forward(_k, y, xs, { axis }) {
    for (const { x, part } of parts(y.ptr, y, xs, axis)) {
      copyStrided(y.backend, x.shape, dense(x.ptr, x.shape), part);
    }
  },
  saves: [],
  vjp(_k, dy, y, xs, into, { axis }) {
    for (const { i, x, part } of parts(dy.ptr, y, xs, axis)) {
      into(i, ({ ptr, accumulate }) =>
        copyStrided(y.backend, x.shape, part, dense(ptr, x.shape), { accumulate }),
      );
    }
  },
  benchmark: { shapes: [BATCH, [64, 1]], attrs: { axis: 1 } },
  samples: () => [
    { shapes: [[3], [2]], attrs: { axis: 0 } },
    {
      shapes: [
        [2, 3],
        [2, 1],
        [2, 4],
      ],
      attrs: { axis: 1 },
    },
    {
      shapes: [
        [2, 3],
        [1, 3],
      ],
      attrs: { axis: 0 },
    },
    {
      shapes: [
        [2, 0],
        [2, 2],
      ],
      attrs: { axis: 1 },
    },
  ],
});

/** x repeated to a larger shape by NumPy's rules. */
export const broadcastTo = defineOp<{ readonly shape: Shape }>({
  name: 'broadcastTo',
  shape([x], { shape }) {
    const fits =
      x.length <= shape.length && x.every((n, i) => n === 1 || n === shape[shape.length - x.length + i]);
    if (!fits)
      throw new ShapeError(`broadcastTo: expected a shape that [${x}] broadcasts to, got [${shape}]`);
    return shape;
  },
  forward: (_k, y, [x]) =>
    copyStrided(y.backend, y.shape, broadcast(x.ptr, x.shape, y.shape), dense(y.ptr, y.shape)),
  saves: [],
  vjp(_k, dy, y, [x], into) {
    const reduced = { ptr: dy.ptr, shape: y.shape, over: repeats(x.shape, y.shape), scratch: into.scratch };
    into(0, (out) => reduceAxes(y.backend, 'sum', reduced, out));
  },
  benchmark: { shapes: [[784]], attrs: { shape: BATCH } },
  samples: () => [
    { shapes: [[3]], attrs: { shape: [2, 3] } },
    { shapes: [[2, 1]], attrs: { shape: [2, 4] } },
    { shapes: [[]], attrs: { shape: [3, 2] } },
    { shapes: [[2, 1, 3]], attrs: { shape: [4, 2, 2, 3] } },
  ],
});
