/** Convolutions through public names: closed forms, PyTorch's initial values, and refused arguments. */
import * as assert from 'uvu/assert';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Conv2d } from '../src/nn/conv.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { summary } from '../src/nn/summary.ts';
import { Rng } from '../src/random/rng.ts';
import { conv2d } from '../src/tensor/conv.ts';
import { arange, ones, tensor, zeros } from '../src/tensor/create.ts';
import { linear } from '../src/tensor/functions.ts';
import { close, near, refused, scoped, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

const drawn = (seed: string, shape: readonly number[]) =>
  tensor(
    uniforms(
      seed,
      shape.reduce((n, size) => n * size, 1),
    ),
    shape,
  );

suite('convolutions', (test) => {
  scoped((test) => {
    test('a kernel with a single 1 shifts a picture, and new pixels at the edges are 0', () => {
      const x = arange(12).reshape(1, 3, 4, 1);
      const weight = zeros([1, 3, 3, 1]);
      const right = weight.toTypedArray();
      right[1 * 3 + 2] = 1;
      const y = conv2d(x, tensor(right, [1, 3, 3, 1]), null, { padding: 1 });
      near(y.reshape(3, 4), [
        [1, 2, 3, 0],
        [5, 6, 7, 0],
        [9, 10, 11, 0],
      ]);
    });

    test('a kernel of ones counts the pixels that it covers', () => {
      const y = conv2d(ones([1, 3, 3, 2]), ones([1, 3, 3, 2]), tensor([0.5]), { padding: [1, 0] });
      near(y.reshape(3, 1), [[12.5], [18.5], [12.5]]);
      const strided = conv2d(ones([1, 5, 5, 1]), ones([1, 3, 3, 1]), null, { padding: 1, stride: 2 });
      near(strided.reshape(3, 3), [
        [4, 6, 4],
        [6, 9, 6],
        [4, 6, 4],
      ]);
      const dilated = conv2d(ones([1, 5, 5, 1]), ones([1, 3, 3, 1]), null, { dilation: 2 });
      near(dilated.reshape(1, 1), [[9]]);
    });

    test('a 1x1 convolution is a linear layer at every pixel, and a kernel as large as the map is a linear layer', () => {
      const [x, w, b] = [drawn('x', [2, 3, 5, 6]), drawn('w', [7, 1, 1, 6]), drawn('b', [7])];
      const y = linear(x, w.reshape(7, 6), b, 'relu');
      close(conv2d(x, w, b, { activation: 'relu' }).toTypedArray(), y.toTypedArray(), 1e-6, '1x1');
      const map = drawn('v', [4, 3, 5, 6]);
      const whole = linear(x.reshape(2, 90), map.reshape(4, 90), null);
      assert.equal(conv2d(x, map).shape, [2, 1, 1, 4]);
      close(conv2d(x, map).toTypedArray(), whole.toTypedArray(), 1e-5, 'whole map');
    });

    test('a group depends on its own channels only', () => {
      const [x, w] = [drawn('x', [2, 4, 4, 4]), drawn('w', [6, 3, 3, 2])];
      const y = conv2d(x, w, null, { groups: 2, padding: 1 });
      for (const group of [0, 1]) {
        const part = conv2d(
          x.slice([0, 0, 0, 2 * group], [2, 4, 4, 2 * group + 2]),
          w.slice([3 * group, 0, 0, 0], [3 * group + 3, 3, 3, 2]),
          null,
          { padding: 1 },
        );
        close(
          y.slice([0, 0, 0, 3 * group], [2, 4, 4, 3 * group + 3]).toTypedArray(),
          part.toTypedArray(),
          1e-6,
          `${group}`,
        );
      }
    });

    test('a layer has PyTorch’s parameters, initial values and sizes', () => {
      const layer = new Conv2d(8, 6, [3, 5], { stride: [2, 1], padding: [1, 2], groups: 2, rng: new Rng(1) });
      assert.equal(
        layer.namedParameters().map(([name, p]) => [name, p.shape]),
        [
          ['weight', [6, 3, 5, 4]],
          ['bias', [6]],
        ],
      );
      const bound = 1 / Math.sqrt(3 * 5 * 4);
      const values = Array.from(layer.weight.toTypedArray());
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      assert.ok(largest <= bound && largest > 0.98 * bound);
      assert.ok(layer.bias!.toTypedArray().every((value) => Math.abs(value) <= bound));
      assert.equal(layer.forward(zeros([3, 9, 7, 8])).shape, [3, 5, 7, 6]);
      assert.is(new Conv2d(1, 1, 3, { bias: false }).bias, null);
    });

    test('summary counts the FLOP of convolutions', () => {
      const rng = new Rng(0);
      const model = new Sequential(
        new Conv2d(3, 8, 3, { padding: 1, rng }),
        new Conv2d(8, 16, 3, { stride: 2, padding: 1, rng }),
        new Conv2d(16, 4, 1, { rng }),
        new Conv2d(4, 4, 3, { groups: 4, rng }),
      );
      const { flop, trainable } = summary(model, [2, 8, 6, 3]);
      assert.is(flop, 2 * 2 * (48 * 8 * 27 + 12 * 16 * 72 + 12 * 4 * 16 + 2 * 1 * 4 * 9));
      assert.is(trainable, 8 * 27 + 8 + 16 * 72 + 16 + 4 * 16 + 4 + 4 * 9 + 4);
    });

    test('arguments that do not fit are refused in one line', () => {
      const x = zeros([2, 5, 4, 6]);
      const of = (shape: readonly number[], options = {}, bias: number | null = null) => {
        return () => conv2d(x, zeros(shape), bias === null ? null : zeros([bias]), options);
      };
      refused(
        of([4, 3, 5, 6]),
        ShapeError,
        'conv2d: expected a kernel within the padded map of 5x4, got one that spans 3x5',
      );
      refused(
        of([4, 3, 3, 6], { dilation: 3, padding: 0 }),
        ShapeError,
        /map of 5x4, got one that spans 7x7/,
      );
      refused(
        of([4, 3, 3, 5]),
        ShapeError,
        'conv2d: expected weights [out,kh,kw,6] for 6 channels, got [4,3,3,5]',
      );
      refused(of([4, 3, 3, 6], { groups: 2 }), ShapeError, /\[out,kh,kw,3\] for 6 channels in 2 groups, got/);
      refused(
        of([4, 3, 3, 6], { groups: 4 }),
        ShapeError,
        'conv2d: expected channels that 4 groups divide, got 6 -> 4',
      );
      refused(of([4, 3, 3, 6], { groups: 0 }), ValueError, /whole number of groups >= 1, got 0/);
      refused(
        of([4, 3, 3, 6], { stride: 0 }),
        ValueError,
        'conv2d: expected whole numbers >= 1 as stride, got 0 and 0',
      );
      refused(
        of([4, 3, 3, 6], { padding: [0, -1] }),
        ValueError,
        /whole numbers >= 0 as padding, got 0 and -1/,
      );
      refused(
        of([4, 3, 3, 6], { dilation: 1.5 }),
        ValueError,
        /whole numbers >= 1 as dilation, got 1.5 and 1.5/,
      );
      refused(
        of([4, 3, 3, 6], { stride: [1, 2, 3] }),
        ValueError,
        /stride: expected a number or \[height, width\]/,
      );
      refused(of([4, 3, 3, 6], {}, 5), ShapeError, 'conv2d: expected a bias [4], got [5]');
      refused(of([4, 0, 3, 6]), ShapeError, 'conv2d: expected a kernel of at least 1x1, got 0x3');
      refused(of([0, 3, 3, 6]), ShapeError, 'conv2d: expected channels >= 1, got 6 -> 0');
      refused(
        of([4, 3, 6]),
        ShapeError,
        /x\[batch,height,width,in\] and weights \[out,kh,kw,in\], got \[2,5,4,6\] and/,
      );
      refused(
        () => conv2d(zeros([2, 0, 4, 6]), zeros([4, 1, 1, 6])),
        ShapeError,
        'conv2d: expected a map of at least 1x1, got 0x4',
      );
      assert.equal(conv2d(zeros([0, 5, 4, 6]), zeros([4, 3, 3, 6])).shape, [0, 3, 2, 4]);
    });

    test('invalid sizes of a layer are refused in one line', () => {
      refused(
        () => new Conv2d(0, 1, 3),
        ValueError,
        'Conv2d: expected whole numbers >= 1 as channels, got 0 and 1',
      );
      refused(
        () => new Conv2d(1, 1, 0),
        ValueError,
        'Conv2d: expected whole numbers >= 1 as kernelSize, got 0 and 0',
      );
      refused(
        () => new Conv2d(1, 1, 3, { stride: 0 }),
        ValueError,
        'Conv2d: expected whole numbers >= 1 as stride, got 0 and 0',
      );
      refused(() => new Conv2d(4, 6, 3, { groups: 4 }), ValueError, /4 groups divide, got 4 and 6/);
      refused(
        () => new Conv2d(1, 1, 'a' as never),
        ValueError,
        'Conv2d: kernelSize: expected a number or [height, width], got "a"',
      );
    });
  })(test);
});
