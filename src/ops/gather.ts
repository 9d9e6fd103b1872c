/**
 * Selects elements by indices along one axis. `indexSelect` selects whole slices, as an embedding selects rows of its
 * table. `gather` has an index for each element of the result. In the backward pass each gradient is added to the
 * element that was selected, in the order of the indices (assembly/gather.ts). So repeated indices give the same bits
 * on any number of threads.
 *
 * The caller has checked that all indices lie in [0, x.shape[axis]).
 */
import { defineOp, type OpDef, type Sample } from '../autograd/op.ts';
import type { Shape, Variable } from '../autograd/variable.ts';
import type { IndexView, Ptr } from '../backend/kernels.ts';
import { aroundAxis } from './broadcast.ts';
import { withScratch } from './scratch.ts';

export interface ByIndex {
  readonly axis: number;
  readonly index: Int32Array;
  /** The size of the axis in the result. */
  readonly size: number;
}

/** The place of the indices, and the strides with which they are read. */
type Layout = (ptr: Ptr, m: number, inner: number) => IndexView;

/** Copies the indices to the backend's memory. */
function written({ backend }: Variable, index: Int32Array, scratch: (n: number) => Ptr): Ptr {
  const ptr = scratch(index.length);
  backend.writeWords(ptr, index);
  return ptr;
}

function byIndex(
  name: string,
  layout: Layout,
  parts: Pick<OpDef<ByIndex>, 'shape' | 'samples' | 'benchmark'>,
): OpDef<ByIndex> {
  const sizesOf = (x: Variable, y: Variable, axis: number) => ({
    ...aroundAxis(x.shape, axis),
    m: y.shape[axis],
  });
  return defineOp<ByIndex>({
    name,
    ...parts,
    forward: (k, y, [x], { axis, index }) =>
      withScratch(x.backend, (scratch) => {
        const sizes = sizesOf(x, y, axis);
        const words = layout(written(x, index, scratch), sizes.m, sizes.inner);
        k.gather({ ...sizes, x: x.ptr, index: words, out: { ptr: y.ptr, accumulate: false } });
      }),
    saves: [],
    vjp(k, dy, y, [x], into, { axis, index }) {
      into(0, ({ ptr, accumulate }) => {
        const sizes = sizesOf(x, y, axis);
        const words = layout(written(x, index, into.scratch), sizes.m, sizes.inner);
        if (!accumulate) k.fill({ n: x.size, out: ptr, value: 0 });
        k.scatterAdd({ ...sizes, y: dy.ptr, index: words, out: ptr });
      });
    },
  });
}

/** Indices for a result whose axis has `size` elements. */
const sample = (
  shape: Shape,
  axis: number,
  index: readonly number[],
  size = index.length,
): Sample<ByIndex> => ({
  shapes: [shape],
  attrs: { axis, index: Int32Array.from(index), size },
});

/** y has x's shape except along `axis`. Slice j of y is slice index[j] of x. */
export const indexSelect = byIndex('indexSelect', (ptr) => ({ ptr, outer: 0, row: 1, col: 0 }), {
  shape: ([x], { axis, size }) => x.with(axis, size),
  benchmark: sample(
    [1000, 784],
    0,
    Array.from({ length: 64 }, (_, i) => (i * 389) % 1000),
  ),
  samples: () => [
    sample([5], 0, [3, 3, 0]),
    sample([4, 5], 0, [2, 0, 2, 2]),
    sample([4, 5], 1, [4, 1]),
    sample([2, 3, 4], 1, [2, 2, 2, 0, 1]),
    sample([3, 2], 0, []),
    sample([3, 17], 0, [1, 1]),
  ],
});

/** y[.., j, ..] = x[.., index[.., j, ..], ..]. The indices are row-major. They have x's shape except along `axis`. */
export const gather = byIndex('gather', (ptr, m, inner) => ({ ptr, outer: m * inner, row: inner, col: 1 }), {
  shape: ([x], { axis, size }) => x.with(axis, size),
  benchmark: sample(
    [64, 784],
    1,
    Array.from({ length: 64 * 784 }, (_, i) => (i * 389) % 784),
    784,
  ),
  samples: () => [
    sample([5], 0, [3, 3, 0, 4]),
    sample([3, 4], 1, [2, 0, 3], 1),
    sample([3, 4], 0, [2, 0, 2, 2, 1, 1, 0, 0], 2),
    sample(
      [2, 3, 5],
      1,
      Array.from({ length: 20 }, (_, i) => (i * i) % 3),
      2,
    ),
    sample([2, 3], 1, [], 0),
    sample([2, 0], 0, [], 3),
  ],
});
