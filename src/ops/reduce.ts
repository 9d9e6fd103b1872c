/**
 * Sum, mean and maximum over given axes, and the mean squared error.
 */
import { BATCH, defineOp, type GradSink, type OpDef, type Sample } from '../autograd/op.ts';
import { type Shape, sizeOf, type Variable } from '../autograd/variable.ts';
import type { Kernels, Ptr } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { broadcastStrides, copyStrided, reduceAxes, stridesOf } from './broadcast.ts';

/** Which axes are reduced, each within 0..rank-1, and whether they stay as dimensions of 1. */
export interface Axes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** The shape with the reduced axes as dimensions of 1. */
const keptShape = (x: Shape, axes: readonly number[]): number[] =>
  x.map((n, i) => (axes.includes(i) ? 1 : n));
const over = (x: Shape, axes: readonly number[]): boolean[] => x.map((_, i) => axes.includes(i));
const count = (x: Shape, axes: readonly number[]): number => axes.reduce((n, axis) => n * x[axis]!, 1);

/** Reduces with scratch memory from the arena, whose frame ends with the op. */
function reduceInto(
  k: Kernels,
  name: 'sum' | 'max',
  x: Variable,
  axes: readonly number[],
  y: Ptr,
  alpha: number,
): void {
  const { arena, elementBytes } = x.backend;
  const frame = arena.open();
  try {
    const scratch = (n: number) => arena.alloc(n * elementBytes);
    reduceAxes(k, name, scratch, x.ptr, x.shape, over(x.shape, axes), y, alpha, false);
  } finally {
    arena.close(frame);
  }
}

/** dx = alpha·dy, repeated over the reduced axes. */
function spread(
  k: Kernels,
  dy: Ptr,
  x: Variable,
  axes: readonly number[],
  alpha: number,
  into: GradSink,
): void {
  const strides = broadcastStrides(keptShape(x.shape, axes), x.shape);
  into(0, (dx, accumulate) =>
    copyStrided(k, x.backend.elementBytes, x.shape, alpha, dy, strides, dx, stridesOf(x.shape), accumulate),
  );
}

const SAMPLES: readonly Sample<Axes>[] = [
  { shapes: [[5]], attrs: { axes: [0], keepDims: false } },
  { shapes: [[2, 3]], attrs: { axes: [0], keepDims: false } },
  { shapes: [[2, 3]], attrs: { axes: [1], keepDims: true } },
  { shapes: [[2, 3]], attrs: { axes: [0, 1], keepDims: false } },
  { shapes: [[2, 3, 4]], attrs: { axes: [1], keepDims: false } },
  { shapes: [[2, 3, 4]], attrs: { axes: [0, 2], keepDims: false } },
  { shapes: [[2, 3, 2, 2]], attrs: { axes: [1, 3], keepDims: true } },
  { shapes: [[3]], attrs: { axes: [], keepDims: false } },
  { shapes: [[]], attrs: { axes: [], keepDims: false } },
];

function reduction(
  name: string,
  parts: Pick<OpDef<Axes>, 'forward' | 'vjp'> & { emptyIsError?: boolean; samples?: readonly Sample<Axes>[] },
): OpDef<Axes> {
  return defineOp<Axes>({
    name,
    shape([x], { axes, keepDims }) {
      if (parts.emptyIsError && count(x!, axes) === 0) {
        throw new ShapeError(`${name}: expected at least one element along axes [${axes}], got shape [${x}]`);
      }
      return keepDims ? keptShape(x!, axes) : x!.filter((_, i) => !axes.includes(i));
    },
    forward: parts.forward,
    vjp: parts.vjp,
    samples: () => [...SAMPLES, ...(parts.samples ?? [])],
    benchmark: { shapes: [BATCH], attrs: { axes: [1], keepDims: false } },
  });
}

/** y = Σ x; dx = dy */
export const sum = reduction('sum', {
  forward: (k, y, [x], { axes }) => reduceInto(k, 'sum', x!, axes, y.ptr, 1),
  vjp: (k, dy, _y, [x], into, { axes }) => spread(k, dy.ptr, x!, axes, 1, into),
  samples: [{ shapes: [[0, 3]], attrs: { axes: [0], keepDims: false } }],
});

/** y = Σ x / n; dx = dy/n. NaN over nothing. */
export const mean = reduction('mean', {
  forward: (k, y, [x], { axes }) => reduceInto(k, 'sum', x!, axes, y.ptr, 1 / count(x!.shape, axes)),
  vjp: (k, dy, _y, [x], into, { axes }) => spread(k, dy.ptr, x!, axes, 1 / count(x!.shape, axes), into),
});

/** y = max x; dy is shared equally by the elements that reach the maximum */
export const max = reduction('max', {
  emptyIsError: true,
  forward: (k, y, [x], { axes }) => reduceInto(k, 'max', x!, axes, y.ptr, 1),
  vjp(k, dy, y, [x], into, { axes }) {
    const { shape, size } = x!;
    const { elementBytes } = x!.backend;
    const kept = keptShape(shape, axes);
    const dense = (ptr: Ptr) => ({ ptr, row: size, col: 1 });
    const expand = (ptr: Ptr): Ptr => {
      const full = into.scratch(size);
      copyStrided(
        k,
        elementBytes,
        shape,
        1,
        ptr,
        broadcastStrides(kept, shape),
        full,
        stridesOf(shape),
        false,
      );
      return full;
    };
    // greaterShare(x, max) is 1/2 at the maximum and 0 elsewhere: the share is it over its own sum.
    const share = into.scratch(size);
    k.binary('greaterShare', 1, size, dense(x!.ptr), dense(expand(y.ptr)), share, false);
    const total = into.scratch(sizeOf(kept));
    reduceAxes(k, 'sum', (n) => into.scratch(n), share, shape, over(shape, axes), total, 1, false);
    const perElement = into.scratch(size);
    k.binary('div', 1, size, dense(expand(dy.ptr)), dense(expand(total)), perElement, false);
    into(0, (dx, accumulate) => k.binary('mul', 1, size, dense(perElement), dense(share), dx, accumulate));
  },
});

/** y = mean of (a - b)² over all elements; da = 2/n·dy·(a - b) = -db */
export const mse = defineOp({
  name: 'mse',
  shape([a, b]) {
    if (a!.join() !== b!.join()) throw new ShapeError(`mse: expected equal shapes, got [${a}] and [${b}]`);
    return [];
  },
  forward: (k, y, [a, b]) => k.mse(a!.size, a!.ptr, b!.ptr, y.ptr),
  vjp(k, dy, _y, [a, b], into) {
    const n = a!.size;
    into(0, (da, accumulate) => k.mseBackward(n, a!.ptr, b!.ptr, dy.ptr, 2 / n, da, accumulate));
    into(1, (db, accumulate) => k.mseBackward(n, a!.ptr, b!.ptr, dy.ptr, -2 / n, db, accumulate));
  },
  samples: () => [
    { shapes: [[7], [7]], attrs: undefined },
    {
      shapes: [
        [3, 5],
        [3, 5],
      ],
      attrs: undefined,
    },
    { shapes: [[], []], attrs: undefined },
  ],
  benchmark: { shapes: [BATCH, BATCH], attrs: undefined },
});
