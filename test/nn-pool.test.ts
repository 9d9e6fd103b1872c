/** Pooling, upsampling and pixel shuffle through public names: closed forms, PyTorch's order, refused arguments. */
import * as assert from 'uvu/assert';
import { ShapeError, ValueError } from '../src/errors.ts';
import { AvgPool2d, MaxPool2d, PixelShuffle, PixelUnshuffle, Upsample } from '../src/nn/pool.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { summary } from '../src/nn/summary.ts';
import { Rng } from '../src/random/rng.ts';
import { arange, ones, tensor, zeros } from '../src/tensor/create.ts';
import { avgPool2d, maxPool2d, pixelShuffle, pixelUnshuffle, upsample } from '../src/tensor/pool.ts';
import { near, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(7);

/** A map of one channel. */
const map = (rows: readonly (readonly number[])[]) =>
  tensor(rows.map((row) => [...row])).reshape(1, rows.length, rows[0].length, 1);

suite('poolings', (test) => {
  scoped((test) => {
    test('windows have their maxima and means, and incomplete windows at the edge are left out', () => {
      const x = map([
        [1, 5, 2, 0, 9],
        [3, 4, -1, -2, 9],
        [9, 9, 9, 9, 9],
      ]);
      near(maxPool2d(x, 2).reshape(1, 2), [[5, 2]]);
      near(avgPool2d(x, 2).reshape(1, 2), [[3.25, -0.25]]);
      near(maxPool2d(x, [1, 3], { stride: [2, 2] }).reshape(2, 2), [
        [5, 9],
        [9, 9],
      ]);
    });

    test('padding is ignored for maxima, and is zeros for means unless turned off', () => {
      const x = map([
        [-4, -3],
        [-2, -1],
      ]);
      near(maxPool2d(x, 2, { padding: 1 }).reshape(2, 2), [
        [-4, -3],
        [-2, -1],
      ]);
      near(avgPool2d(x, 2, { padding: 1 }).reshape(2, 2), [
        [-1, -0.75],
        [-0.5, -0.25],
      ]);
      near(avgPool2d(x, 2, { padding: 1, countIncludePad: false }).reshape(2, 2), [
        [-4, -3],
        [-2, -1],
      ]);
    });

    test('the gradient of equal maxima goes to the first of them, row by row', () => {
      const x = map([
        [1, 2, 7, 7],
        [2, 2, 7, 7],
      ]).requireGrad();
      maxPool2d(x, 2)
        .mul(tensor([3, 5]).reshape(1, 1, 2, 1))
        .sum()
        .backward();
      near(x.grad!.reshape(2, 4), [
        [0, 3, 5, 0],
        [0, 0, 0, 0],
      ]);
    });

    test('an upsampled pixel fills a block, and its gradient is the sum over the block', () => {
      const x = arange(6).reshape(1, 2, 3, 1).detach().requireGrad();
      const y = upsample(x, { scaleFactor: [2, 1] });
      near(y.reshape(4, 3), [
        [0, 1, 2],
        [0, 1, 2],
        [3, 4, 5],
        [3, 4, 5],
      ]);
      y.mul(arange(12).reshape(1, 4, 3, 1))
        .sum()
        .backward();
      near(x.grad!.reshape(2, 3), [
        [3, 5, 7],
        [15, 17, 19],
      ]);
      const picture = rng.normal([2, 3, 5, 6]);
      near(avgPool2d(upsample(picture, { scaleFactor: 3 }), 3), picture.toArray(), 1e-6);
    });

    test('channels become pixels in PyTorch’s order, and the inverse restores them', () => {
      // Channel c·4 + 2·ry + rx of one pixel is channel c at (ry, rx).
      const y = pixelShuffle(arange(8).reshape(1, 1, 1, 8), 2);
      near(y, [
        [
          [
            [0, 4],
            [1, 5],
          ],
          [
            [2, 6],
            [3, 7],
          ],
        ],
      ]);
      for (const r of [1, 2, 3]) {
        const x = rng.normal([2, 3, 5, 5 * r * r]);
        near(pixelUnshuffle(pixelShuffle(x, r), r), x.toArray(), 0);
        // The same by axes: [b, h, w, c, ry, rx] to [b, h, ry, w, rx, c].
        const moved = x
          .reshape(2, 3, 5, 5, r, r)
          .transpose(0, 1, 4, 2, 5, 3)
          .reshape(2, 3 * r, 5 * r, 5);
        near(pixelShuffle(x, r), moved.toArray(), 0);
      }
    });

    test('layers equal their functions, and a summary has their shapes', () => {
      const x = rng.normal([2, 8, 8, 4]);
      near(
        new MaxPool2d(3, { stride: 2, padding: 1 }).forward(x),
        maxPool2d(x, 3, { stride: 2, padding: 1 }).toArray(),
      );
      const options = { stride: 1, padding: 1, countIncludePad: false };
      near(new AvgPool2d([3, 2], options).forward(x), avgPool2d(x, [3, 2], options).toArray());
      const model = new Sequential(
        new MaxPool2d(2),
        new PixelShuffle(2),
        new Upsample({ scaleFactor: 2 }),
        new AvgPool2d(4),
        new PixelUnshuffle(2),
      );
      const { rows, trainable } = summary(model, [2, 8, 8, 4]);
      assert.is(trainable, 0);
      assert.equal(
        rows.slice(1).map(({ output }) => output),
        [
          [2, 4, 4, 4],
          [2, 8, 8, 1],
          [2, 16, 16, 1],
          [2, 4, 4, 1],
          [2, 2, 2, 4],
        ],
      );
    });

    test('arguments that do not fit are refused in one line', () => {
      const x = ones([2, 5, 4, 6]);
      refused(
        () => maxPool2d(x, 6),
        ShapeError,
        'maxPool2d: expected a kernel within the padded map of 5x4, got one that spans 6x6',
      );
      refused(
        () => avgPool2d(x, 2, { stride: 0 }),
        ValueError,
        'avgPool2d: expected whole numbers >= 1 as stride, got 0 and 0',
      );
      refused(
        () => maxPool2d(x, 3, { padding: 2 }),
        ValueError,
        'maxPool2d: expected a padding of at most half the kernel 3x3, got 2 and 2',
      );
      refused(
        () => maxPool2d(x, 0),
        ValueError,
        'maxPool2d: expected whole numbers >= 1 as kernelSize, got 0 and 0',
      );
      refused(
        () => avgPool2d(zeros([2, 0, 4, 6]), 1),
        ShapeError,
        'avgPool2d: expected a map of at least 1x1, got 0x4',
      );
      refused(
        () => maxPool2d(zeros([4, 6]), 1),
        ShapeError,
        'maxPool2d: expected x[batch,height,width,channels], got [4,6]',
      );
      refused(
        () => upsample(x, { scaleFactor: 1.5 }),
        ValueError,
        'upsample: expected whole numbers >= 1 as scaleFactor, got 1.5 and 1.5',
      );
      refused(
        () => pixelShuffle(x, 2),
        ShapeError,
        'pixelShuffle: expected a multiple of 4 channels for factor 2, got 6',
      );
      refused(
        () => pixelUnshuffle(x, 2),
        ShapeError,
        'pixelUnshuffle: expected a height and width that 2 divides, got 5x4',
      );
      refused(() => pixelShuffle(x, 0), ValueError, /whole number >= 1 as factor, got 0/);
      refused(
        () => new MaxPool2d(0),
        ValueError,
        'MaxPool2d: expected whole numbers >= 1 as kernelSize, got 0 and 0',
      );
      refused(
        () => new AvgPool2d(2, { stride: 0 }),
        ValueError,
        'AvgPool2d: expected whole numbers >= 1 as stride, got 0 and 0',
      );
      refused(
        () => new Upsample({} as never),
        ValueError,
        /scaleFactor: expected a number or \[height, width\]/,
      );
      refused(
        () => new PixelShuffle(0.5),
        ValueError,
        'PixelShuffle: expected whole numbers >= 1 as upscaleFactor, got 0.5',
      );
    });
  })(test);
});
