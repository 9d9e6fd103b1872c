/**
 * Sum, mean, maximum, minimum and product over given axes, and the mean squared error.
 */
import { BATCH, defineOp, type GradSink, type OpDef, type Sample } from '../autograd/op.ts';
import { type Shape, sizeOf, type Variable } from '../autograd/variable.ts';
import { type Ptr, type ReduceName, rowOf, type Target } from '../backend/kernels.ts';
import { LangevinError, ShapeError } from '../errors.ts';
import { broadcast, copyStrided, dense, reduceAxes } from './broadcast.ts';
import { withScratch } from './scratch.ts';

/** The axes that are reduced, each within 0..rank-1, and whether they stay as dimensions of 1. */
export interface Axes {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** The shape with the reduced axes as dimensions of 1. */
const keptShape = (x: Shape, axes: readonly number[]): number[] =>
  x.map((n, i) => (axes.includes(i) ? 1 : n));
const over = (x: Shape, axes: readonly number[]): boolean[] => x.map((_, i) => axes.includes(i));
const count = (x: Shape, axes: readonly number[]): number => axes.reduce((n, axis) => n * x[axis], 1);

/**
 * Divides axes, in ascending order, into runs of neighbours: [0, 1, 3] into [0, 1] and [3]. No axes give one empty run.
 */
export function neighbours(axes: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const axis of axes) {
    const last = runs.at(-1);
    if (last?.at(-1) === axis - 1) last.push(axis);
    else runs.push([axis]);
  }
  return runs.length > 0 ? runs : [[]];
}

/** y = alpha·reduce of x. The scratch memory is from the arena, and its frame ends with the op. */
function reduceInto(
  name: Exclude<ReduceName, 'sumSquares'>,
  x: Variable,
  axes: readonly number[],
  y: Variable,
  alpha = 1,
): void {
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

/** A reduction over no elements. */
const NOTHING: Sample<Axes> = { shapes: [[0, 3]], attrs: { axes: [0], keepDims: false } };

interface Reduction extends Pick<OpDef<Axes>, 'forward' | 'saves' | 'vjp'> {
  /** Throws if these axes of x cannot be reduced. */
  readonly check?: (x: Shape, axes: readonly number[]) => void;
  readonly samples?: readonly Sample<Axes>[];
}

function reduction(name: string, { check, forward, saves, vjp, samples = SAMPLES }: Reduction): OpDef<Axes> {
  return defineOp<Axes>({
    name,
    shape([x], { axes, keepDims }) {
      check?.(x, axes);
      return keepDims ? keptShape(x, axes) : x.filter((_, i) => !axes.includes(i));
    },
    forward,
    saves,
    vjp,
    benchmark: { shapes: [BATCH], attrs: { axes: [1], keepDims: false } },
    samples: () => samples,
  });
}

/** y = Σ x; dx = dy */
export const sum = reduction('sum', {
  forward: (_k, y, [x], { axes }) => reduceInto('sum', x, axes, y),
  saves: [],
  vjp: (_k, dy, _y, [x], into, { axes }) => spread(dy.ptr, x, axes, 1, into),
  samples: [...SAMPLES, NOTHING],
});

/** y = Σ x / n; dx = dy/n. Over no elements y is NaN. */
export const mean = reduction('mean', {
  forward: (_k, y, [x], { axes }) => reduceInto('sum', x, axes, y, 1 / count(x.shape, axes)),
  saves: [],
  vjp: (_k, dy, _y, [x], into, { axes }) => spread(dy.ptr, x, axes, 1 / count(x.shape, axes), into),
});

/** y = max x, or min x. Elements that are equal to y share dy equally. */
const extreme = (name: 'max' | 'min') =>
  reduction(name, {
    check(x, axes) {
      if (count(x, axes) > 0) return;
      throw new ShapeError(`${name}: expected at least one element along axes [${axes}], got shape [${x}]`);
    },
    forward: (_k, y, [x], { axes }) => reduceInto(name, x, axes, y),
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
      // mask = (x = y), dx = mask·dy/Σ mask
      const mask = fresh(size);
      k.binary('eq', { ...rows, a: rowOf(x.ptr, size), b: expanded(y.ptr), out: mask });
      const ties = fresh(sizeOf(kept));
      const reduced = { ptr: mask.ptr, shape, over: over(shape, axes), scratch: into.scratch };
      reduceAxes(x.backend, 'sum', reduced, ties);
      const share = fresh(size);
      k.binary('div', { ...rows, a: expanded(dy.ptr), b: expanded(ties.ptr), out: share });
      into(0, (out) =>
        k.binary('mul', { ...rows, a: rowOf(share.ptr, size), b: rowOf(mask.ptr, size), out }),
      );
    },
  });

export const max = extreme('max');
export const min = extreme('min');

/** y = Π x over neighbouring axes; dx_j = dy·Π_(k≠j) x_k. Axes that are not neighbours need one op after the other. */
export const prod = reduction('prod', {
  check(_x, axes) {
    if (neighbours(axes).length === 1) return;
    throw new LangevinError(`internal: prod: expected axes that are neighbours, got [${axes}]`);
  },
  forward: (_k, y, [x], { axes }) => reduceInto('prod', x, axes, y),
  saves: [0],
  vjp(k, dy, _y, [x], into, { axes }) {
    const { shape, ptr } = x;
    const [first, end] =
      axes.length > 0 ? [axes[0], axes[axes.length - 1] + 1] : [shape.length, shape.length];
    const [outer, inner] = [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(end))];
    const n = count(shape, axes);
    into(0, (out) => k.prodBackward({ outer, n, inner, x: ptr, dy: dy.ptr, out }));
  },
  samples: [...SAMPLES.filter(({ attrs }) => neighbours(attrs.axes).length === 1), NOTHING],
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
