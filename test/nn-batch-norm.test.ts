/** Batch normalisation: its formula, PyTorch's rule for running averages, and files with these averages. */
import * as assert from 'uvu/assert';
import { decodeCheckpoint, encodeCheckpoint, restoreParameters } from '../src/checkpoint/checkpoint.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { BatchNorm2d } from '../src/nn/batch-norm.ts';
import { summary } from '../src/nn/summary.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { near, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(5);
const AXES = [0, 1, 2];

/** The formula, with the statistics of the batch. */
function normalised(x: Tensor, eps: number): Tensor {
  const deviation = x.sub(x.mean(AXES, { keepDims: true }));
  return deviation.div(x.var(AXES, { keepDims: true, correction: 0 }).add(eps).sqrt());
}

suite('batch normalisation', (test) => {
  scoped((test) => {
    test('in training the statistics are those of the batch, and gradients flow through them', () => {
      for (const shape of [
        [7, 3, 5, 1],
        [1, 3, 5, 6],
        [2, 4, 4, 17],
      ]) {
        const layer = new BatchNorm2d(shape[3], { eps: 1e-3 });
        layer.weight!.copyFrom(rng.normal([shape[3]]));
        layer.bias!.copyFrom(rng.normal([shape[3]]));
        const x = rng.normal(shape).mul(3).add(1).detach().requireGrad();
        const y = layer.forward(x);
        const dy = rng.normal(shape);
        y.backward(dy);
        const gradients = [x.grad!, layer.weight!.grad!, layer.bias!.grad!].map((g) => g.toArray());
        const own = x.detach().requireGrad();
        const weight = layer.weight!.detach().requireGrad();
        const bias = layer.bias!.detach().requireGrad();
        const expected = normalised(own, 1e-3).mul(weight).add(bias);
        near(y, expected.toArray(), 1e-5);
        expected.backward(dy);
        for (const [i, g] of [own.grad!, weight.grad!, bias.grad!].entries()) near(g, gradients[i], 2e-4);
      }
    });

    test('running averages move by the momentum, with the unbiased variance, and evaluation uses them', () => {
      const layer = new BatchNorm2d(2, { momentum: 0.25 });
      const x = tensor([1, 10, 3, 10, 5, 10, 7, 14]).reshape(2, 2, 1, 2);
      layer.forward(x);
      near(layer.running_mean!, [0.25 * 4, 0.25 * 11]);
      near(layer.running_var!, [0.75 + (0.25 * 20) / 3, 0.75 + (0.25 * 12) / 3]);
      assert.is(layer.num_batches_tracked!.item(), 1);
      layer.eval();
      layer.weight!.set([2, 1]);
      layer.bias!.set([0, 5]);
      const y = layer.forward(x).reshape(4, 2);
      const [v0, v1] = layer.running_var!.toTypedArray();
      near(
        y,
        [
          [1, 10],
          [3, 10],
          [5, 10],
          [7, 14],
        ].map(([a, b]) => [(2 * (a - 1)) / Math.sqrt(v0 + 1e-5), (b - 2.75) / Math.sqrt(v1 + 1e-5) + 5]),
        1e-5,
      );
      near(layer.running_mean!, [1, 2.75], 1e-6);
      assert.is(layer.num_batches_tracked!.item(), 1);
    });

    test('without momentum the averages are over all batches; without averages the statistics are always those of the batch', () => {
      const layer = new BatchNorm2d(1, { momentum: null });
      for (const value of [1, 2, 6]) layer.forward(tensor([value - 1, value + 1]).reshape(1, 2, 1, 1));
      near(layer.running_mean!, [3], 1e-6);
      near(layer.running_var!, [2], 1e-6);
      const plain = new BatchNorm2d(3, { affine: false, trackRunningStats: false }).eval();
      assert.is(plain.stateDict().size, 0);
      const x = rng.normal([2, 3, 1, 3]);
      near(plain.forward(x), normalised(x, 1e-5).toArray(), 1e-5);
    });

    test('the averages are in the state under PyTorch’s names, in files, and are not trained', () => {
      const layer = new BatchNorm2d(3);
      assert.equal(
        [...layer.stateDict()].map(([name, { shape }]) => `${name} [${shape}]`),
        ['weight [3]', 'bias [3]', 'running_mean [3]', 'running_var [3]', 'num_batches_tracked []'],
      );
      assert.equal(
        layer.namedParameters().map(([name]) => name),
        ['weight', 'bias'],
      );
      layer.forward(rng.normal([2, 3, 3, 3]));
      const bytes = encodeCheckpoint(layer, { kind: 'norm', sizes: { channels: 3 } });
      const other = new BatchNorm2d(3);
      restoreParameters(other, decodeCheckpoint(bytes));
      for (const [name, value] of layer.stateDict()) near(other.stateDict().get(name)!, value.toArray(), 0);
      const { trainable, frozen } = summary(layer, [2, 3, 3, 3]);
      assert.equal([trainable, frozen], [6, 7]);
      assert.is(layer.num_batches_tracked!.item(), 1, 'a summary leaves the averages as they were');
    });

    test('arguments that do not fit are refused in one line', () => {
      const layer = new BatchNorm2d(3);
      refused(
        () => layer.forward(zeros([2, 3, 3, 4])),
        ShapeError,
        'BatchNorm2d: expected [batch,height,width,3], got shape [2,3,3,4]',
      );
      refused(
        () => layer.forward(zeros([1, 1, 1, 3])),
        ShapeError,
        'BatchNorm2d: expected at least two values for each channel in training, got [1,1,1,3]',
      );
      assert.equal(layer.eval().forward(zeros([1, 1, 1, 3])).shape, [1, 1, 1, 3]);
      refused(
        () => new BatchNorm2d(0),
        ValueError,
        'BatchNorm2d: expected whole numbers >= 1 as channels, got 0',
      );
      refused(
        () => new BatchNorm2d(1, { momentum: 2 }),
        ValueError,
        'BatchNorm2d: expected a momentum from 0 to 1, got 2',
      );
    });
  })(test);
});
