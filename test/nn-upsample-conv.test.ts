/**
 * Transposed convolutions, and upsampling fused with a 3x3 convolution, through public names. They are compared with
 * their parts in float64 and with PyTorch's initial values. Wrong arguments are refused.
 */
import * as assert from 'uvu/assert';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Conv2d } from '../src/nn/conv.ts';
import { ConvTranspose2d } from '../src/nn/conv-transpose.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { summary } from '../src/nn/summary.ts';
import { UpsampleConv2d } from '../src/nn/upsample-conv.ts';
import { Rng } from '../src/random/rng.ts';
import { conv2d, convTranspose2d, upsampleConv2d } from '../src/tensor/conv.ts';
import { ones, tensor, zeros } from '../src/tensor/create.ts';
import { upsample } from '../src/tensor/pool.ts';
import { close, near, onBackend, refused, scoped, U, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(11);
const sizeOf = (shape: readonly number[]) => shape.reduce((n, size) => n * size, 1);

/** y and all gradients of upsampling and convolution, fused or one after the other, on a backend. */
function upsampled(on: 'wasm' | 'reference', fused: boolean, x: readonly number[], out: number) {
  return onBackend(on, () => {
    const shapes = [x, [out, 3, 3, x[3]], [out]];
    const [a, w, b] = shapes.map((shape, i) =>
      tensor(uniforms(`${i}`, sizeOf(shape)), shape, { requiresGrad: true }),
    );
    const y = fused
      ? upsampleConv2d(a, w, b, { activation: 'tanh' })
      : conv2d(upsample(a, { scaleFactor: 2 }), w, b, { padding: 1, activation: 'tanh' });
    y.backward(tensor(uniforms('dy', y.size), y.shape));
    return [y, a.grad!, w.grad!, b.grad!].map((t) => ({ shape: t.shape, values: t.toTypedArray() }));
  });
}

suite('convolutions of convolutions', (test) => {
  scoped((test) => {
    test('the fused upsampling and 3x3 equal one after the other, with all gradients, within the bound of a sum', () => {
      for (const [x, out] of [
        [[1, 3, 5, 1], 1],
        [[7, 3, 5, 2], 5],
        [[2, 1, 1, 9], 3],
        [[2, 7, 6, 33], 17],
      ] as const) {
        const expected = upsampled('reference', false, x, out);
        for (const on of ['reference', 'wasm'] as const) {
          for (const [i, { shape, values }] of upsampled(on, true, x, out).entries()) {
            assert.equal(shape, expected[i].shape);
            const largest = Array.from(expected[i].values).reduce(
              (most, value) => Math.max(most, Math.abs(value)),
              1,
            );
            const terms = i === 0 ? 9 * x[3] : i === 1 ? 36 * out : 4 * x[0] * x[1] * x[2];
            // Products below 1 in magnitude; tanh and its derivative have slopes of at most 1.
            const bound = on === 'reference' ? 1e-12 : (terms + 8) * U * Math.max(largest, Math.sqrt(terms));
            close(values, expected[i].values, bound, `${on} [${x}] -> ${out}, ${i}`);
          }
        }
      }
    });

    test('a transposed convolution of one pixel is its kernel, and with stride 2 the kernels are side by side', () => {
      const kernel = tensor([
        [1, 2],
        [3, 4],
      ]).reshape(1, 2, 2, 1);
      near(convTranspose2d(ones([1, 1, 1, 1]), kernel, tensor([10])).reshape(2, 2), [
        [11, 12],
        [13, 14],
      ]);
      const two = convTranspose2d(tensor([1, 10]).reshape(1, 1, 2, 1), kernel, null, { stride: 2 });
      near(two.reshape(2, 4), [
        [1, 2, 10, 20],
        [3, 4, 30, 40],
      ]);
      const wide = convTranspose2d(tensor([1, 10]).reshape(1, 1, 2, 1), kernel, tensor([0.5]), {
        ...{ stride: 2, outputPadding: [0, 1] },
      });
      near(wide.reshape(2, 5), [
        [1.5, 2.5, 10.5, 20.5, 0.5],
        [3.5, 4.5, 30.5, 40.5, 0.5],
      ]);
    });

    test('a transposed convolution is the gradient of a convolution to its input', () => {
      const options = { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 } as const;
      const x = rng.normal([2, 6, 7, 4]).requireGrad();
      const weight = rng.normal([6, 3, 3, 2]);
      const y = conv2d(x, weight, null, options);
      const dy = rng.normal(y.shape);
      y.backward(dy);
      const transposed = convTranspose2d(dy, weight, null, { ...options, outputPadding: [1, 0] });
      near(transposed, x.grad!.toArray(), 1e-4);
    });

    test('layers have PyTorch’s parameters, initial values and sizes', () => {
      const layer = new ConvTranspose2d(8, 6, [4, 3], { stride: 2, padding: 1, groups: 2, rng: new Rng(1) });
      assert.equal(
        layer.namedParameters().map(([name, p]) => [name, p.shape]),
        [
          ['weight', [8, 4, 3, 3]],
          ['bias', [6]],
        ],
      );
      const bound = 1 / Math.sqrt(4 * 3 * 3);
      const largest = layer.weight.abs().max().item();
      assert.ok(largest <= bound && largest > 0.98 * bound);
      assert.equal(layer.forward(zeros([3, 5, 7, 8])).shape, [3, 10, 13, 6]);
      const up = new UpsampleConv2d(8, 6, { rng: new Rng(1) });
      const conv = new Conv2d(8, 6, 3, { padding: 1, rng: new Rng(1) });
      near(up.weight, conv.weight.toArray(), 0);
      const x = rng.normal([1, 3, 5, 8]);
      near(up.forward(x), conv.forward(upsample(x, { scaleFactor: 2 })).toArray(), 1e-5);
      assert.is(new UpsampleConv2d(1, 1, { bias: false }).bias, null);
    });

    test('summary counts the FLOP of each computed product', () => {
      const model = new Sequential(
        new ConvTranspose2d(4, 6, 3, { stride: 2, groups: 2, rng }),
        new UpsampleConv2d(6, 5, { rng }),
      );
      const { flop, rows } = summary(model, [2, 3, 5, 4]);
      assert.equal(rows[2].output, [2, 14, 22, 5]);
      // Each pixel of x is multiplied by the kernel once; each pixel of y has four taps in place of nine.
      assert.is(flop, 2 * 2 * 15 * 4 * 9 * 3 + 2 * 2 * 14 * 22 * 5 * 4 * 6);
    });

    test('arguments that do not fit are refused in one line', () => {
      const x = ones([2, 5, 4, 6]);
      const of = (shape: readonly number[], options = {}) => {
        return () => convTranspose2d(x, zeros(shape), null, options);
      };
      refused(
        of([5, 3, 3, 2]),
        ShapeError,
        'convTranspose2d: expected weights [6,kh,kw,out/groups] for 6 channels, got [5,3,3,2]',
      );
      refused(of([6, 3, 3, 2], { groups: 4 }), ShapeError, /for 6 channels in 4 groups, got \[6,3,3,2\]/);
      refused(
        of([6, 3, 3, 2], { stride: 0 }),
        ValueError,
        'convTranspose2d: expected whole numbers >= 1 as stride, got 0 and 0',
      );
      refused(
        of([6, 3, 3, 2], { stride: 2, outputPadding: 2 }),
        ValueError,
        'convTranspose2d: expected an outputPadding below the stride 2 and 2, got 2 and 2',
      );
      refused(
        of([6, 1, 1, 2], { padding: 2 }),
        ShapeError,
        'convTranspose2d: expected a result of at least 1x1, got 1x0',
      );
      refused(
        () => upsampleConv2d(x, zeros([4, 5, 5, 6])),
        ShapeError,
        'upsampleConv2d: expected weights [out,3,3,6], got [4,5,5,6]',
      );
      refused(
        () => upsampleConv2d(zeros([2, 0, 4, 6]), zeros([4, 3, 3, 6])),
        ShapeError,
        'upsampleConv2d: expected a map of at least 1x1, got 0x4',
      );
      refused(
        () => new ConvTranspose2d(4, 6, 3, { groups: 4 }),
        ValueError,
        'ConvTranspose2d: expected channels that 4 groups divide, got 4 and 6',
      );
      refused(
        () => new ConvTranspose2d(1, 1, 0),
        ValueError,
        'ConvTranspose2d: expected whole numbers >= 1 as kernelSize, got 0 and 0',
      );
      refused(
        () => new UpsampleConv2d(0, 1),
        ValueError,
        /expected whole numbers >= 1 as channels, got 0 and 1/,
      );
    });
  })(test);
});
