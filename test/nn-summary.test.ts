/** Compares the summary of a model with numbers of parameters and operations that were computed by hand. */
import * as assert from 'uvu/assert';
import { scope, tapeLength } from '../src/autograd/tape.ts';
import { backend } from '../src/backend/backend.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { ReLU } from '../src/nn/activation.ts';
import { Linear } from '../src/nn/linear.ts';
import { Layer, Module } from '../src/nn/module.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { type Summary, summary } from '../src/nn/summary.ts';
import { Rng } from '../src/random/rng.ts';
import { zeros } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const dense = (from: number, to: number) => new Linear(from, to, { rng: new Rng(0) });

/** The rows add up to the totals. */
function addsUp({ rows, ...totals }: Summary): void {
  for (const key of ['trainable', 'frozen', 'flop'] as const) {
    assert.is(
      rows.reduce((sum, row) => sum + row[key], 0),
      totals[key],
      key,
    );
  }
}

suite('summary', (test) => {
  scoped((test) => {
    test('the lecture’s denoiser has its known counts, layer by layer', () => {
      const b = 64;
      const result = summary(new Denoiser(), [b, 28, 28, 1]);
      addsUp(result);
      assert.is(result.trainable, 949_184);
      assert.is(result.frozen, 0);
      assert.is(result.bytes, 949_184 * backend().elementBytes);
      assert.is(result.flop, 2 * b * 2 * (784 * 400 + 400 * 400));
      const row = (name: string) => result.rows.find((row) => row.name === name)!;
      assert.equal(row('encoder.0'), {
        name: 'encoder.0',
        type: 'Linear',
        output: [b, 400],
        trainable: 784 * 400 + 400,
        frozen: 0,
        flop: 2 * b * 784 * 400,
      });
      assert.equal(row('encoder.1').output, [b, 400]);
      assert.equal(row('').output, [b, 28, 28, 1]);
      assert.equal([row('').type, row('').trainable, row('').flop], ['Denoiser', 0, 0]);
      assert.is(result.rows.length, 1 + 2 * (1 + 4));
    });

    test('a network that takes more than a tensor is run by a function', () => {
      const [b, hidden, inner, condition, depth, pixels] = [3, 12, 10, 8, 2, 16];
      const network = new DiffusionMlp({ height: 4, width: 4, hidden, inner, condition, depth });
      const x = zeros([b, 4, 4, 1]);
      const result = summary(network, (network) => network.forward(x, [1, 2, 3], { labels: [0, null, 9] }));
      addsUp(result);
      const block = 2 * hidden * inner + condition * inner;
      const products = 2 * condition ** 2 + 11 * condition + 2 * pixels * hidden + depth * block;
      const biases = 2 * condition + hidden + pixels + depth * (inner + hidden);
      assert.is(result.flop, 2 * b * products);
      assert.is(result.trainable, products + biases);
      assert.equal(result.rows[0]!.output, [b, 4, 4, 1]);
      assert.equal(
        result.rows.map(({ name }) => name),
        ['', 'time.first', 'time.second', 'label', 'input']
          .concat([0, 1].flatMap((k) => ['a', 'b', 'c'].map((part) => `blocks.${k}.${part}`)))
          .concat('output'),
      );
    });

    test('products outside of layers are counted in their module, and shared parameters once', () => {
      class Tied extends Layer {
        readonly inner = dense(4, 6);
        readonly table = zeros([6, 4]).keep();
        readonly again = this.inner;
        readonly tied = this.inner.weight;
        override forward(x: Tensor): Tensor {
          const before = x.matmul(zeros([4, 4]));
          const y = this.again.forward(this.inner.forward(before).matmul(this.table));
          return y.matmul(this.tied);
        }
      }
      const result = summary(new Tied(), [5, 4]);
      addsUp(result);
      assert.is(result.bytes, (24 + 24 + 6) * backend().elementBytes);
      assert.equal(result.rows, [
        {
          name: '',
          type: 'Tied',
          output: [5, 4],
          trainable: 24,
          frozen: 24,
          flop: 2 * 5 * (4 * 4 + 6 * 4 + 6 * 4),
        },
        {
          name: 'inner',
          type: 'Linear',
          output: [5, 6],
          trainable: 6,
          frozen: 0,
          flop: 2 * (2 * 5 * 4 * 6),
        },
      ]);
    });

    test('each product of a batch is counted, and frozen parameters are listed separately', () => {
      class Frozen extends Layer {
        readonly first = dense(3, 3);
        readonly unused = new ReLU();
        override forward(x: Tensor): Tensor {
          return x.matmul(x, { bT: true }).matmul(x).matmul(this.first.weight);
        }
      }
      const model = new Frozen();
      model.first.weight.requireGrad(false);
      const result = summary(model, [7, 2, 3]);
      addsUp(result);
      assert.equal(
        [result.trainable, result.frozen, result.flop],
        [3, 9, 2 * 7 * (2 * 3 * 2 + 2 * 2 * 3 + 2 * 3 * 3)],
      );
      assert.equal(
        result.rows.map(({ output }) => output),
        [[7, 2, 3], null, null],
      );
    });

    test('a module that is not a layer has a row if it has its own parameters', () => {
      class Scaled extends Module {
        readonly inside = new Sequential(dense(2, 2));
        readonly scale = zeros([2]).keep().requireGrad();
      }
      class Outer extends Module {
        readonly scaled = new Scaled();
      }
      const outer = new Outer();
      const result = summary(outer, ({ scaled }) => scaled.inside.forward(zeros([1, 2])).mul(scaled.scale));
      addsUp(result);
      assert.equal(
        result.rows.map(({ name, output, trainable }) => [name, output, trainable]),
        [
          ['', [1, 2], 0],
          ['scaled', null, 2],
          ['scaled.inside', [1, 2], 0],
          ['scaled.inside.0', [1, 2], 6],
        ],
      );
    });

    test('the model runs in evaluation mode, and its mode is restored', () => {
      const modes: boolean[] = [];
      class Spy extends ReLU {
        override forward(x: Tensor): Tensor {
          modes.push(this.training);
          return super.forward(x);
        }
      }
      const model = new Sequential(dense(2, 2), new Spy());
      model.layers[0]!.training = false;
      const [nodes, keys] = [tapeLength(), Object.getOwnPropertyNames(model.layers[1]!)];
      summary(model, [1, 2]);
      const failing = () =>
        summary(model, () => {
          throw new Error('from the function');
        });
      assert.throws(failing, 'from the function');
      assert.equal(modes, [false]);
      assert.equal(
        [model, ...model.layers].map(({ training }) => training),
        [true, false, true],
      );
      assert.is(tapeLength(), nodes);
      assert.equal(Object.getOwnPropertyNames(model.layers[1]!), keys);
      assert.ok(model.parameters().every(({ grad, requiresGrad }) => grad === null && requiresGrad));
    });

    test('the table has one line per row, and the totals', () => {
      const model = new Sequential(dense(30, 100), new ReLU());
      assert.is(
        `${summary(model, [20, 30])}`,
        [
          'layer    class       output     parameters     FLOP',
          '(model)  Sequential  [20, 100]           0        0',
          '0        Linear      [20, 100]       3,100  120,000',
          '1        ReLU        [20, 100]           0        0',
          `parameters: 3,100 (3,100 trainable, 0 frozen), ${(3100 * backend().elementBytes).toLocaleString('en-US')} bytes`,
          'products: 120,000 FLOP',
        ].join('\n'),
      );
    });

    test('models and inputs that do not fit are refused', () => {
      const network = new DiffusionMlp({ height: 2, width: 2, hidden: 2, inner: 2, depth: 1, condition: 2 });
      refused(
        () => summary(network, [1, 2, 2, 1]),
        ValueError,
        /^summary: expected a function such as \(model\) => model.forward\(x, t\), because _?DiffusionMlp is not a Layer, got the shape \[1,2,2,1\]$/,
      );
      refused(() => summary({} as never, [1]), ValueError, /^summary: expected a module, got/);
      refused(
        () => summary(dense(1, 1), zeros([1, 1]) as never),
        ValueError,
        'summary: expected the shape of an input or a function, got a tensor [1,1]',
      );
      refused(() => summary(dense(2, 1), [1, 3]), ShapeError, /^linear: expected/);
      refused(() => summary(dense(2, 1), [1.5, 2]), ShapeError, /whole numbers/);
    });
  })(test);

  test('the forward pass leaves no memory', () => {
    const { heap, arena } = backend();
    const model = dense(8, 8);
    scope(() => summary(model, [4, 8]));
    const before = heap.blocks;
    summary(model, [4, 8]);
    assert.is(heap.blocks, before);
    assert.is(arena.frame, null);
    model.dispose();
  });
});
