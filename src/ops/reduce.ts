/**
 * Sum, mean and maximum over given axes, and the mean squared error.
 */
import { BATCH, defineOp, type GradSink, type OpDef, type Sample } from '../autograd/op.ts';
import { type Shape, sizeOf, type Variable } from '../autograd/variable.ts';
import { type Ptr, rowOf, type Target } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { broadcast, copyStrided, dense, reduceAxes } from './broadcast.ts';
import { withScratch } from './scratch.ts';

/** Which axes are reduced, each within 0..rank-1, and whether they stay as dimensions of 1. */
export interface Axes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** The shape with the reduced axes as dimensions of 1. */
const keptShape = (x: Shape, axes: readonly number[]): number[] =>
  x.map((n, i) => (axes.includes(i) ? 1 : n));
const over = (x: Shape, axes: readonly number[]): boolean[] => x.map((_, i) => axes.includes(i));
const count = (x: Shape, axes: readonly number[]): number => axes.reduce((n, axis) => n * x[axis], 1);

/** y = alpha·reduce of x, with scratch memory from the arena, whose frame ends with the op. */
function reduceInto(name: 'sum' | 'max', x: Variable, axes: readonly number[], y: Variable, alpha = 1): void {
  const { ptr, shape } = x;
  const out = { ptr: y.ptr, accumulate: false };
  withScratch(x.backend, (scratch) =>
    reduceAxes(x.backend, name, { ptr, shape, over: over(shape, axes), scratch, alpha }, out),
  );
}

/** dx = alpha·dy, repeated over the reduced axes. */
function spread(dy: Ptr, x: Variable, axes: readonly number[], alpha: number, into: GradSink): void {
  const from = broadcast(dy, keptShape(x.shape, axes), x.shape);
  into(0, ({ ptr, accumulate }) =>
    copyStrided(x.backend, x.shape, from, dense(ptr, x.shape), { alpha, accumulate }),
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
  parts: Pick<OpDef<Axes>, 'forward' | 'saves' | 'vjp'> & {
    emptyIsError?: boolean;
    samples?: readonly Sample<Axes>[];
  },
): OpDef<Axes> {
  return defineOp<Axes>({
    name,
    shape([x], { axes, keepDims }) {
      if (parts.emptyIsError && count(x, axes) === 0) {
        throw new ShapeError(`${name}: expected at least one element along axes [${axes}], got shape [${x}]`);
      }
      return keepDims ? keptShape(x, axes) : x.filter((_, i) => !axes.includes(i));
    },
    forward: parts.forward,
    saves: parts.saves,
    vjp: parts.vjp,
    benchmark: { shapes: [BATCH], attrs: { axes: [1], keepDims: false } },
    samples: () => [...SAMPLES, ...(parts.samples ?? [])],
  });
}

/** y = Σ x; dx = dy */
export const sum = reduction('sum', {
  forward: (_k, y, [x], { axes }) => reduceInto('sum', x, axes, y),
  saves: [],
  vjp: (_k, dy, _y, [x], into, { axes }) => spread(dy.ptr, x, axes, 1, into),
  samples: [{ shapes: [[0, 3]], attrs: { axes: [0], keepDims: false } }],
});

/** y = Σ x / n; dx = dy/n. NaN over nothing. */
export const mean = reduction('mean', {
  forward: (_k, y, [x], { axes }) => reduceInto('sum', x, axes, y, 1 / count(x.shape, axes)),
  saves: [],
  vjp: (_k, dy, _y, [x], into, { axes }) => spread(dy.ptr, x, axes, 1 / count(x.shape, axes), into),
});

/** y = max x; dy is shared equally by the elements that reach the maximum */
export const max = reduction('max', {
  emptyIsError: true,
  forward: (_k, y, [x], { axes }) => reduceInto('max', x, axes, y),
  saves: [0, 'y'],
  vjp(k, dy, y, [x], into, { axes }) {
    const { shape, size } = x;
    const kept = keptShape(shape, axes);
    const rows = { rows: 1, cols: size };
    const fresh = (n: number) => ({ ptr: into.scratch(n), accumulate: false });
    /** An array of the reduced shape, repeated to x's. */
    const expanded = (ptr: Ptr) => {
      const full = fresh(size);
      copyStrided(x.backend, shape, broadcast(ptr, kept, shape), dense(full.ptr, shape));
      return rowOf(full.ptr, size);
    };
    // mask = (x = max), dx = mask·dy/Σ mask
    const mask = fresh(size);
    k.binary('eq', { ...rows, a: rowOf(x.ptr, size), b: expanded(y.ptr), out: mask });
    const ties = fresh(sizeOf(kept));
    const reduced = { ptr: mask.ptr, shape, over: over(shape, axes), scratch: into.scratch };
    reduceAxes(x.backend, 'sum', reduced, ties);
    const share = fresh(size);
    k.binary('div', { ...rows, a: expanded(dy.ptr), b: expanded(ties.ptr), out: share });
    into(0, (out) => k.binary('mul', { ...rows, a: rowOf(share.ptr, size), b: rowOf(mask.ptr, size), out }));
  },
});

/** y = mean of (a - b)² over all elements; da = 2/n·dy·(a - b) = -db */
export const mse = defineOp({
  name: 'mse',
  shape([a, b]) {
    if (a.join() !== b.join()) throw new ShapeError(`mse: expected equal shapes, got [${a}] and [${b}]`);
    return [];
  },
  forward: (k, y, [a, b]) => k.mse({ n: a.size, a: a.ptr, b: b.ptr, out: y.ptr }),
  saves: [0, 1],
  vjp(k, dy, _y, [a, b], into) {
    const n = a.size;
    const gradient = (scale: number) => (out: Target) =>
      k.mseBackward({ n, a: a.ptr, b: b.ptr, dy: dy.ptr, scale, out });
    into(0, gradient(2 / n));
    into(1, gradient(-2 / n));
  },
  benchmark: { shapes: [BATCH, BATCH], attrs: undefined },
  samples: () => [[7], [3, 5], []].map((shape: Shape) => ({ shapes: [shape, shape], attrs: undefined })),
});
