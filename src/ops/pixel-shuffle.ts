/**
 * Moves channels to space (pixelShuffle) and space to channels (pixelUnshuffle), in PyTorch's order of channels. Each
 * is the gradient of the other. The formulas are in assembly/pixel-shuffle.ts.
 */
import { defineOp } from '../autograd/op.ts';
import type { Shape } from '../autograd/variable.ts';
import type { PixelShuffle } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { checkPictures } from './pictures.ts';

interface Factor {
  readonly factor: number;
}

/** The sizes that the kernels take, from the shape of the map with many channels. */
function sizesOf([batch, height, width, deep]: Shape, factor: number): Omit<PixelShuffle, 'x' | 'out'> {
  return { batch, height, width, channels: deep / factor ** 2, factor };
}

/** @throws ValueError unless it is a whole number >= 1 */
function checkFactor(op: string, factor: number): void {
  if (!(Number.isInteger(factor) && factor >= 1)) {
    throw new ValueError(`${op}: expected a whole number >= 1 as factor, got ${factor}`);
  }
}

/** [batch, h, w, c·r²] to [batch, h·r, w·r, c] */
export const pixelShuffle = defineOp<Factor>({
  name: 'pixelShuffle',
  shape([x], { factor }) {
    checkPictures('pixelShuffle', x);
    checkFactor('pixelShuffle', factor);
    const [batch, height, width, deep] = x;
    if (deep % factor ** 2 > 0) {
      throw new ShapeError(
        `pixelShuffle: expected a multiple of ${factor ** 2} channels for factor ${factor}, got ${deep}`,
      );
    }
    return [batch, height * factor, width * factor, deep / factor ** 2];
  },
  forward: (k, y, [x], { factor }) =>
    k.pixelShuffle({ ...sizesOf(x.shape, factor), x: x.ptr, out: { ptr: y.ptr, accumulate: false } }),
  saves: [],
  vjp: (k, dy, _y, [x], into, { factor }) =>
    into(0, (out) => k.pixelUnshuffle({ ...sizesOf(x.shape, factor), x: dy.ptr, out })),
  benchmark: { shapes: [[64, 14, 14, 128]], attrs: { factor: 2 } },
  samples: () => [
    { shapes: [[1, 3, 5, 4]], attrs: { factor: 2 } },
    { shapes: [[7, 3, 5, 24]], attrs: { factor: 2 } },
    { shapes: [[2, 2, 1, 18]], attrs: { factor: 3 } },
    { shapes: [[1, 2, 3, 5]], attrs: { factor: 1 } },
    { shapes: [[0, 2, 3, 4]], attrs: { factor: 2 } },
  ],
});

/** [batch, h·r, w·r, c] to [batch, h, w, c·r²] */
export const pixelUnshuffle = defineOp<Factor>({
  name: 'pixelUnshuffle',
  shape([x], { factor }) {
    checkPictures('pixelUnshuffle', x);
    checkFactor('pixelUnshuffle', factor);
    const [batch, height, width, channels] = x;
    if (height % factor > 0 || width % factor > 0) {
      throw new ShapeError(
        `pixelUnshuffle: expected a height and width that ${factor} divides, got ${height}x${width}`,
      );
    }
    return [batch, height / factor, width / factor, channels * factor ** 2];
  },
  forward: (k, y, [x], { factor }) =>
    k.pixelUnshuffle({ ...sizesOf(y.shape, factor), x: x.ptr, out: { ptr: y.ptr, accumulate: false } }),
  saves: [],
  vjp: (k, dy, y, _xs, into, { factor }) =>
    into(0, (out) => k.pixelShuffle({ ...sizesOf(y.shape, factor), x: dy.ptr, out })),
  benchmark: { shapes: [[64, 28, 28, 32]], attrs: { factor: 2 } },
  samples: () => [
    { shapes: [[1, 2, 6, 1]], attrs: { factor: 2 } },
    { shapes: [[7, 6, 2, 6]], attrs: { factor: 2 } },
    { shapes: [[2, 3, 6, 5]], attrs: { factor: 3 } },
    { shapes: [[1, 2, 3, 5]], attrs: { factor: 1 } },
    { shapes: [[0, 2, 4, 3]], attrs: { factor: 2 } },
  ],
});
