/**
 * Ops that only move elements: reshape, permute, slice, cat and broadcasting. Forwards they are one strided
 * copy; backwards the same copy the other way.
 */
import { BATCH, defineOp } from '../autograd/op.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
import { ShapeError } from '../errors.ts';
import { broadcastStrides, copyStrided, reduceAxes, stridesOf } from './broadcast.ts';

/** The same elements, in the same order and memory, under another shape. */
export const reshape = defineOp<{ readonly shape: Shape }>({
  name: 'reshape',
  alias: true,
  shape([x], { shape }) {
    if (sizeOf(x!) !== sizeOf(shape)) {
      throw new ShapeError(`reshape: expected ${sizeOf(x!)} elements as in [${x}], got shape [${shape}]`);
    }
    return shape;
  },
  forward() {},
  vjp: (k, dy, _y, _xs, into) =>
    into(0, (dx, accumulate) => k.copy(1, dy.size, 1, dy.ptr, dy.size, 1, dx, dy.size, 1, accumulate)),
  samples: () => [
    { shapes: [[2, 3]], attrs: { shape: [3, 2] } },
    { shapes: [[4]], attrs: { shape: [2, 1, 2] } },
    { shapes: [[1]], attrs: { shape: [] } },
  ],
  benchmark: { shapes: [BATCH], attrs: { shape: [64, 28, 28] } },
});

/** y's axis i is x's axis order[i]. */
export const permute = defineOp<{ readonly order: readonly number[] }>({
  name: 'permute',
  shape: ([x], { order }) => order.map((axis) => x![axis]!),
  forward(k, y, [x], { order }) {
    const strides = stridesOf(x!.shape);
    const from = order.map((axis) => strides[axis]!);
    copyStrided(k, y.backend.elementBytes, y.shape, 1, x!.ptr, from, y.ptr, stridesOf(y.shape), false);
  },
  vjp(k, dy, y, [x], into, { order }) {
    const strides = stridesOf(x!.shape);
    const to = order.map((axis) => strides[axis]!);
    into(0, (dx, accumulate) =>
      copyStrided(k, y.backend.elementBytes, y.shape, 1, dy.ptr, stridesOf(y.shape), dx, to, accumulate),
    );
  },
  samples: () => [
    { shapes: [[3, 5]], attrs: { order: [1, 0] } },
    { shapes: [[17, 33]], attrs: { order: [1, 0] } },
    { shapes: [[2, 3, 4]], attrs: { order: [2, 0, 1] } },
    { shapes: [[2, 3, 4, 2]], attrs: { order: [0, 2, 1, 3] } },
    { shapes: [[]], attrs: { order: [] } },
  ],
  benchmark: { shapes: [BATCH], attrs: { order: [1, 0] } },
});

/** The box from `begin` on, of shape `size`. */
export const slice = defineOp<{ readonly begin: readonly number[]; readonly size: Shape }>({
  name: 'slice',
  shape([x], { begin, size }) {
    const fits = size.length === x!.length && size.every((n, i) => begin[i]! >= 0 && begin[i]! + n <= x![i]!);
    if (!fits) throw new ShapeError(`slice: expected a box inside [${x}], got [${size}] from [${begin}] on`);
    return size;
  },
  forward(k, y, [x], { begin }) {
    const { elementBytes } = y.backend;
    const strides = stridesOf(x!.shape);
    const at = begin.reduce((sum, b, i) => sum + b * strides[i]!, 0);
    copyStrided(
      k,
      elementBytes,
      y.shape,
      1,
      x!.ptr + at * elementBytes,
      strides,
      y.ptr,
      stridesOf(y.shape),
      false,
    );
  },
  vjp(k, dy, y, [x], into, { begin }) {
    const { elementBytes } = y.backend;
    const strides = stridesOf(x!.shape);
    const at = begin.reduce((sum, b, i) => sum + b * strides[i]!, 0);
    into(0, (dx, accumulate) => {
      if (!accumulate) k.fill(x!.size, dx, 0);
      copyStrided(
        k,
        elementBytes,
        y.shape,
        1,
        dy.ptr,
        stridesOf(y.shape),
        dx + at * elementBytes,
        strides,
        true,
      );
    });
  },
  samples: () => [
    { shapes: [[7]], attrs: { begin: [2], size: [3] } },
    { shapes: [[4, 5]], attrs: { begin: [1, 2], size: [2, 3] } },
    { shapes: [[3, 4, 5]], attrs: { begin: [0, 1, 0], size: [3, 2, 5] } },
    { shapes: [[4, 5]], attrs: { begin: [1, 0], size: [0, 5] } },
  ],
  benchmark: { shapes: [[64, 785]], attrs: { begin: [0, 1], size: BATCH } },
});

/** Tensors of equal shape but for `axis`, one after the other along it. */
export const cat = defineOp<{ readonly axis: number }>({
  name: 'cat',
  shape(shapes, { axis }) {
    const [first, ...rest] = shapes as [Shape, ...Shape[]];
    let n = first[axis]!;
    for (const shape of rest) {
      const fits = shape.length === first.length && shape.every((m, i) => i === axis || m === first[i]);
      if (!fits)
        throw new ShapeError(
          `cat: expected shapes equal but for axis ${axis}, got [${first}] and [${shape}]`,
        );
      n += shape[axis]!;
    }
    return first.map((m, i) => (i === axis ? n : m));
  },
  forward(k, y, xs, { axis }) {
    const { elementBytes } = y.backend;
    const strides = stridesOf(y.shape);
    let at = y.ptr;
    for (const x of xs) {
      copyStrided(k, elementBytes, x.shape, 1, x.ptr, stridesOf(x.shape), at, strides, false);
      at += x.shape[axis]! * strides[axis]! * elementBytes;
    }
  },
  vjp(k, dy, y, xs, into, { axis }) {
    const { elementBytes } = y.backend;
    const strides = stridesOf(y.shape);
    let at = dy.ptr;
    for (const [i, x] of xs.entries()) {
      const from = at;
      into(i, (dx, accumulate) =>
        copyStrided(k, elementBytes, x.shape, 1, from, strides, dx, stridesOf(x.shape), accumulate),
      );
      at += x.shape[axis]! * strides[axis]! * elementBytes;
    }
  },
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
  benchmark: { shapes: [BATCH, [64, 1]], attrs: { axis: 1 } },
});

/** x repeated to a larger shape by NumPy's rules. */
export const broadcastTo = defineOp<{ readonly shape: Shape }>({
  name: 'broadcastTo',
  shape([x], { shape }) {
    const fits =
      x!.length <= shape.length && x!.every((n, i) => n === 1 || n === shape[shape.length - x!.length + i]);
    if (!fits)
      throw new ShapeError(`broadcastTo: expected a shape that [${x}] broadcasts to, got [${shape}]`);
    return shape;
  },
  forward: (k, y, [x]) =>
    copyStrided(
      k,
      y.backend.elementBytes,
      y.shape,
      1,
      x!.ptr,
      broadcastStrides(x!.shape, y.shape),
      y.ptr,
      stridesOf(y.shape),
      false,
    ),
  vjp(k, dy, y, [x], into) {
    const repeats = broadcastStrides(x!.shape, y.shape).map((stride, i) => stride === 0 && y.shape[i] !== 1);
    into(0, (dx, accumulate) =>
      reduceAxes(k, 'sum', (n) => into.scratch(n), dy.ptr, y.shape, repeats, dx, 1, accumulate),
    );
  },
  samples: () => [
    { shapes: [[3]], attrs: { shape: [2, 3] } },
    { shapes: [[2, 1]], attrs: { shape: [2, 4] } },
    { shapes: [[]], attrs: { shape: [3, 2] } },
    { shapes: [[2, 1, 3]], attrs: { shape: [4, 2, 2, 3] } },
  ],
  benchmark: { shapes: [[784]], attrs: { shape: BATCH } },
});
