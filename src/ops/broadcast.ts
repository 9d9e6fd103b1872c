/**
 * NumPy's broadcasting, and loops that divide arrays of any rank into the two-dimensional slices that kernels take.
 *
 * Shapes are aligned at the right. A dimension of 1, or a missing one, repeats. We first merge dimensions that are
 * contiguous in every operand. So the usual cases (equal shapes, a row, a column, a scalar) are a single kernel call.
 * If more than two dimensions remain, this file loops over the outer ones.
 */
import type { GradSink } from '../autograd/op.ts';
import { type Shape, sizeOf, type Variable } from '../autograd/variable.ts';
import type { Backend } from '../backend/backend.ts';
import { copyArray, type Ptr, type ReduceName, type Target, type View2d } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';

/** An array that is read or written by strides, in elements. */
export interface Strided {
  readonly ptr: Ptr;
  readonly strides: readonly number[];
}

/** The shape that shapes `a` and `b` broadcast to. Throws ShapeError, which names `op`. */
export function broadcastShape(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const p = a[a.length - rank + i] ?? 1;
    const q = b[b.length - rank + i] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new ShapeError(`${op}: expected shapes that broadcast, got [${a}] and [${b}]`);
    }
    shape[i] = p === 1 ? q : p;
  }
  return shape;
}

/** The size of an axis, and the products of the sizes before and after it: x[outer, n, inner]. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; n: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), n: shape[axis], inner: sizeOf(shape.slice(axis + 1)) };
}

/** Element strides of a dense array of shape `shape`. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/**
 * The strides with which an array of shape `from` is read as one of shape `to`. A stride is 0 along an axis that
 * repeats.
 */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  return to.map((_, i) => {
    const j = i - (to.length - from.length);
    return j < 0 || from[j] === 1 ? 0 : own[j];
  });
}

/** Drops dimensions of 1, and merges neighbours that are contiguous in all operands. At least two dimensions remain. */
export function mergeDimensions(
  shape: Shape,
  strides: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const merged: number[] = [];
  const mergedStrides: number[][] = strides.map(() => []);
  for (let i = shape.length - 1; i >= 0; i--) {
    const n = shape[i];
    if (n === 1) continue;
    const inner = merged[0];
    if (inner !== undefined && strides.every((s, o) => s[i] === mergedStrides[o][0] * inner)) {
      merged[0] = inner * n;
    } else {
      merged.unshift(n);
      for (const [o, s] of strides.entries()) mergedStrides[o].unshift(s[i]);
    }
  }
  while (merged.length < 2) {
    merged.unshift(1);
    for (const s of mergedStrides) s.unshift(0);
  }
  return { shape: merged, strides: mergedStrides };
}

/** An array of shape `from`, read as one of shape `to`. */
export function broadcast(ptr: Ptr, from: Shape, to: Shape): Strided {
  return { ptr, strides: broadcastStrides(from, to) };
}

/** A dense array. */
export function dense(ptr: Ptr, shape: Shape): Strided {
  return { ptr, strides: stridesOf(shape) };
}

/**
 * Calls `step` with every operand's view of each two-dimensional slice [rows, cols] of a shape. If the operands allow
 * it, there is only one call. An empty shape has none.
 */
export function forEachPlane(
  { elementBytes }: Backend,
  shape: Shape,
  operands: readonly Strided[],
  step: (views: View2d[], rows: number, cols: number) => void,
): void {
  const merged = mergeDimensions(
    shape,
    operands.map(({ strides }) => strides),
  );
  const dims = merged.shape;
  if (dims.includes(0)) return;
  const axes = dims.length - 2;
  const offsets = operands.map(() => 0);
  const walk = (axis: number): void => {
    if (axis === axes) {
      const views = operands.map(({ ptr }, o) => {
        const strides = merged.strides[o];
        return { ptr: ptr + offsets[o] * elementBytes, row: strides[axes], col: strides[axes + 1] };
      });
      return step(views, dims[axes], dims[axes + 1]);
    }
    for (let i = 0; i < dims[axis]; i++) {
      walk(axis + 1);
      for (const [o, strides] of merged.strides.entries()) offsets[o] += strides[axis];
    }
    for (const [o, strides] of merged.strides.entries()) offsets[o] -= strides[axis] * dims[axis];
  };
  walk(0);
}

/** y[shape] = [y +] alpha·x, each with its own strides. All copies of arrays use this function. */
export function copyStrided(
  on: Backend,
  shape: Shape,
  from: Strided,
  to: Strided,
  { alpha = 1, accumulate = false } = {},
): void {
  forEachPlane(on, shape, [from, to], ([x, y], rows, cols) =>
    on.kernels.copy({ rows, cols, alpha, x, y, accumulate }),
  );
}

/**
 * Writes x's gradient if x was broadcast to `shape`. `write` computes it in that shape, and the sum over x's
 * repetitions goes to x. Without broadcasting `write` computes it directly in its place.
 */
export function intoBroadcast(
  into: GradSink,
  input: number,
  x: Variable,
  shape: Shape,
  write: (out: Target) => void,
): void {
  if (x.size === sizeOf(shape)) return into(input, write);
  into(input, (out) => {
    const full = into.scratch(sizeOf(shape));
    write({ ptr: full, accumulate: false });
    const over = repeats(x.shape, shape);
    reduceAxes(x.backend, 'sum', { ptr: full, shape, over, scratch: into.scratch }, out);
  });
}

/** For each axis of `to`, whether an array of shape `from` repeats along it. */
export function repeats(from: Shape, to: Shape): boolean[] {
  return broadcastStrides(from, to).map((stride, i) => stride === 0 && to[i] !== 1);
}

/** What `reduceAxes` reads. */
export interface Reduced {
  readonly ptr: Ptr;
  readonly shape: Shape;
  /** For each axis, whether it is reduced. */
  readonly over: readonly boolean[];
  /** Allocates scratch memory of n elements. */
  readonly scratch: (n: number) => Ptr;
  /** A factor of the result; 1 by default. */
  readonly alpha?: number;
}

/**
 * out = [out +] alpha·reduce of x[shape] over some axes. Neighbouring axes are merged. Groups of axes that are not
 * neighbours are reduced one after the other, from the last to the first, through scratch memory.
 */
export function reduceAxes(
  { kernels }: Backend,
  name: Exclude<ReduceName, 'sumSquares'>,
  { ptr, shape, over, scratch, alpha = 1 }: Reduced,
  out: Target,
): void {
  const groups: { n: number; reduced: boolean }[] = [];
  for (const [i, n] of shape.entries()) {
    const last = groups[groups.length - 1];
    if (last?.reduced === over[i]) last.n *= n;
    else groups.push({ n, reduced: over[i] });
  }
  const product = (from: number, to: number) => groups.slice(from, to).reduce((size, g) => size * g.n, 1);
  const first = groups.findIndex((g) => g.reduced);
  if (first < 0) return copyArray(kernels, sizeOf(shape), ptr, out, alpha);
  for (let x = ptr; ; ) {
    const at = groups.findLastIndex((g) => g.reduced);
    const [outer, n, inner] = [product(0, at), groups[at].n, product(at + 1, groups.length)];
    if (at === first) return kernels.reduce(name, { outer, n, inner, x, alpha, out });
    const partial = scratch(outer * inner);
    kernels.reduce(name, { outer, n, inner, x, alpha: 1, out: { ptr: partial, accumulate: false } });
    x = partial;
    groups.splice(at, 1);
  }
}
