/**
 * Samples pictures through affine maps, with bilinear interpolation. The pixel in row i and column j of the result is x
 * at column m0·j + m1·i + m2 and row m3·j + m4·i + m5, for the six numbers m of its picture. Between pixels, the result
 * is the mean of the four pixels around, weighted by distance. Outside the picture x is 0 (assembly/affine-sample.ts).
 * Only the pictures have a gradient; the maps are constants.
 */
import { defineOp, type Sample } from '../autograd/op.ts';
import type { Shape, Variable } from '../autograd/variable.ts';
import { copyArray, type Ptr } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { withScratch } from './scratch.ts';

export interface Maps {
  /** Six numbers for each picture. */
  readonly matrices: ArrayLike<number>;
}

const sizesOf = ({ shape: [batch, height, width, channels] }: Variable) => ({
  batch,
  height,
  width,
  channels,
});

/** Copies the maps to the backend's memory. */
function written({ backend }: Variable, matrices: ArrayLike<number>, scratch: (n: number) => Ptr): Ptr {
  const ptr = scratch(matrices.length);
  backend.write(ptr, matrices);
  return ptr;
}

/** One map for all pictures, shifted down by a different distance for each. */
function sample(shape: Shape, map: readonly number[]): Sample<Maps> {
  const matrices = Array.from({ length: shape[0] }, (_, b) => map.map((m, k) => (k === 5 ? m + b / 4 : m)));
  return { shapes: [shape], attrs: { matrices: matrices.flat() } };
}

/** A rotation by about 20 degrees with a scale. */
const TURN = [0.9, -0.3, 0.7, 0.35, 0.95, -1.2];

export const affineSample = defineOp<Maps>({
  name: 'affineSample',
  shape([x], { matrices }) {
    if (x.length !== 4) {
      throw new ShapeError(
        `affineSample: expected pictures [batch, height, width, channels], got shape [${x}]`,
      );
    }
    if (matrices.length !== 6 * x[0]) {
      throw new ShapeError(
        `affineSample: expected 6 numbers for each of ${x[0]} pictures, got ${matrices.length}`,
      );
    }
    return x;
  },
  forward: (k, y, [x], { matrices }) =>
    withScratch(x.backend, (scratch) =>
      k.affineSample({ ...sizesOf(x), x: x.ptr, matrix: written(x, matrices, scratch), out: y.ptr }),
    ),
  saves: [],
  vjp(k, dy, _y, [x], into, { matrices }) {
    into(0, ({ ptr, accumulate }) => {
      const matrix = written(x, matrices, into.scratch);
      // We sum apart from the earlier gradient, so that its value does not change the rounding.
      const out = accumulate ? into.scratch(x.size) : ptr;
      k.fill({ n: x.size, out, value: 0 });
      k.affineSampleBackward({ ...sizesOf(x), dy: dy.ptr, matrix, out });
      if (accumulate) copyArray(k, x.size, out, { ptr, accumulate });
    });
  },
  benchmark: sample([64, 28, 28, 1], TURN),
  samples: () => [
    sample([2, 3, 4, 1], [1, 0, 0, 0, 1, 0]),
    sample([1, 3, 4, 2], [1, 0, 1, 0, 1, -2]),
    sample([3, 5, 4, 1], TURN),
    sample([2, 4, 5, 3], [-1, 0, 4, 0, 0.5, 0.25]),
    sample([1, 1, 1, 5], [1, 0, 0.5, 0, 1, 0.25]),
    sample([2, 3, 3, 1], [1, 0, 9, 0, 1, 0]),
    sample([0, 3, 3, 1], TURN),
    sample([1, 0, 3, 1], TURN),
  ],
});
