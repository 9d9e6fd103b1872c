/**
 * NumPy's broadcasting, and walking over arrays of any rank in the two-dimensional steps that the kernels take.
 *
 * Shapes are aligned at the right; a dimension of 1, or a missing one, repeats. Dimensions that lie
 * contiguously in every operand are merged first, so that the usual cases (equal shapes, a row, a column, a
 * scalar) are a single call of a kernel; what is left outside of the last two is a loop here.
 */
import type { GradSink } from '../autograd/op.ts';
import { type Shape, sizeOf } from '../autograd/variable.ts';
import type { Kernels, Ptr } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';

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

/** Strides with which an array of shape `from` is read as one of shape `to`: 0 where it repeats. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const own = stridesOf(from);
  return to.map((_, i) => {
    const j = i - (to.length - from.length);
    return j < 0 || from[j] === 1 ? 0 : own[j];
  });
}

/** Drops dimensions of 1 and merges neighbours that are one run in all operands; at least two remain. */
export function mergeDimensions(
  shape: Shape,
  strides: readonly number[][],
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

/**
 * Calls `step` for each two-dimensional slice of a merged shape, with the offsets in elements of every
 * operand. Nothing is called for an empty shape.
 */
export function forEachPlane(
  shape: readonly number[],
  strides: readonly number[][],
  step: (offsets: number[]) => void,
): void {
  if (shape.includes(0)) return;
  const offsets = strides.map(() => 0);
  const walk = (axis: number) => {
    if (axis === shape.length - 2) return step(offsets);
    for (let i = 0; i < shape[axis]; i++) {
      walk(axis + 1);
      for (const [o, s] of strides.entries()) offsets[o] += s[axis];
    }
    for (const [o, s] of strides.entries()) offsets[o] -= s[axis] * shape[axis];
  };
  walk(0);
}

/** y[shape] = [y +] alpha·x, each read and written with its own strides: every copy there is. */
export function copyStrided(
  k: Kernels,
  elementBytes: number,
  shape: Shape,
  alpha: number,
  x: Ptr,
  xStrides: number[],
  y: Ptr,
  yStrides: number[],
  accumulate: boolean,
): void {
  const { shape: dims, strides } = mergeDimensions(shape, [xStrides, yStrides]);
  const [rows, cols] = dims.slice(-2) as [number, number];
  const [xRow, xCol] = strides[0].slice(-2) as [number, number];
  const [yRow, yCol] = strides[1].slice(-2) as [number, number];
  forEachPlane(dims, strides, ([xAt, yAt]) => {
    const from = x + xAt! * elementBytes;
    const to = y + yAt! * elementBytes;
    k.copy(rows, cols, alpha, from, xRow, xCol, to, yRow, yCol, accumulate);
  });
}

/**
 * Writes x's gradient where y = f(x, ...) was broadcast: `write` makes it in y's shape, and what x repeats is
 * summed. Without broadcasting it goes straight to its place.
 */
export function intoBroadcast(
  k: Kernels,
  into: GradSink,
  input: number,
  from: Shape,
  to: Shape,
  write: (dx: Ptr, accumulate: boolean) => void,
): void {
  if (sizeOf(from) === sizeOf(to)) return into(input, write);
  into(input, (dx, accumulate) => {
    const full = into.scratch(sizeOf(to));
    write(full, false);
    sumTo(k, into, full, to, dx, from, accumulate);
  });
}

/** dx[from] = [dx +] the sum of full[to] over what `from` repeats to become `to`. */
export function sumTo(
  k: Kernels,
  into: GradSink,
  full: Ptr,
  to: Shape,
  dx: Ptr,
  from: Shape,
  accumulate: boolean,
): void {
  const repeats = broadcastStrides(from, to).map((s, i) => s === 0 && to[i] !== 1);
  reduceAxes(k, 'sum', (n) => into.scratch(n), full, to, repeats, dx, 1, accumulate);
}

/**
 * y = [y +] alpha·reduce of x[shape] over the axes where `over` is true. Neighbouring axes are merged; groups
 * of axes that are apart are reduced one after the other, from the last to the first, through `scratch`.
 */
export function reduceAxes(
  k: Kernels,
  name: 'sum' | 'max',
  scratch: (n: number) => Ptr,
  x: Ptr,
  shape: Shape,
  over: readonly boolean[],
  y: Ptr,
  alpha: number,
  accumulate: boolean,
): void {
  const groups: { n: number; reduced: boolean }[] = [];
  for (const [i, n] of shape.entries()) {
    const last = groups[groups.length - 1];
    if (last && last.reduced === over[i]) last.n *= n;
    else groups.push({ n, reduced: over[i] });
  }
  const product = (from: number, to: number) => groups.slice(from, to).reduce((size, g) => size * g.n, 1);
  const first = groups.findIndex((g) => g.reduced);
  if (first < 0) {
    const n = sizeOf(shape);
    return k.copy(1, n, alpha, x, n, 1, y, n, 1, accumulate);
  }
  for (;;) {
    const at = groups.findLastIndex((g) => g.reduced);
    const [outer, n, inner] = [product(0, at), groups[at].n, product(at + 1, groups.length)];
    if (at === first) return k.reduce(name, outer, n, inner, x, y, alpha, accumulate);
    const partial = scratch(outer * inner);
    k.reduce(name, outer, n, inner, x, partial, 1, false);
    x = partial;
    groups.splice(at, 1);
  }
}
