/**
 * Normalisation, dropout and embeddings, compared with their formulas in float64 and with the binomial distribution.
 * Their parameters have PyTorch's names, shapes and initial values.
 */
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Dropout } from '../src/nn/dropout.ts';
import { Embedding } from '../src/nn/embedding.ts';
import { Flatten } from '../src/nn/flatten.ts';
import { dropout, layerNorm, rmsNorm } from '../src/nn/functional.ts';
import { Identity } from '../src/nn/identity.ts';
import { LayerNorm, RMSNorm } from '../src/nn/norm.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { Rng } from '../src/random/rng.ts';
import { full, ones, tensor, zeros } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, near, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(21);
const differs = (f: (...xs: Tensor[]) => Tensor, ...xs: Tensor[]) =>
  assert.ok(gradcheck(f, xs) < 1e-6, `gradient off by ${gradcheck(f, xs)}`);

/** Applies f to each run of n numbers. */
const byRuns = (values: ArrayLike<number>, n: number, f: (run: number[]) => number[]) =>
  Array.from({ length: values.length / n }, (_, i) => f(Array.from(values).slice(i * n, (i + 1) * n))).flat();
const mean = (run: readonly number[]) => run.reduce((sum, x) => sum + x, 0) / run.length;

suite(
  'layers',
  scoped((test) => {
    test('layerNorm has mean 0 and variance 1 over the last axes, then weight and bias', () => {
      const x = rng.normal([2, 3, 4]).mul(5).add(2);
      for (const [shape, n] of [
        [4, 4],
        [[4], 4],
        [[3, 4], 12],
      ] as const) {
        const weight = rng.normal([shape].flat());
        const bias = rng.normal([shape].flat());
        const [w, b] = [weight.toTypedArray(), bias.toTypedArray()];
        const expected = byRuns(x.toTypedArray(), n, (run) => {
          const m = mean(run);
          const deviation = Math.sqrt(mean(run.map((v) => (v - m) ** 2)) + 1e-5);
          return run.map((v, i) => ((v - m) / deviation) * w[i] + b[i]);
        });
        close(layerNorm(x, shape, { weight, bias }).toTypedArray(), expected, 2e-6, `over ${shape}`);
      }
      differs(
        (y, w, b) => layerNorm(y, 4, { weight: w, bias: b }),
        rng.normal([3, 4]),
        rng.normal([4]),
        rng.normal([4]),
      );
    });

    test('rmsNorm divides by the root mean square over the last axes', () => {
      const x = rng.normal([2, 3, 4]).mul(5);
      for (const [shape, n] of [
        [4, 4],
        [[3, 4], 12],
      ] as const) {
        const expected = byRuns(x.toTypedArray(), n, (run) => {
          const root = Math.sqrt(mean(run.map((v) => v * v)) + 0.5);
          return run.map((v) => v / root);
        });
        close(rmsNorm(x, shape, { eps: 0.5 }).toTypedArray(), expected, 2e-6, `over ${shape}`);
      }
      differs((y, w) => rmsNorm(y, [3], { weight: w }), rng.normal([2, 3]), rng.normal([3]));
    });

    test('the layers start with weight 1 and bias 0, and follow their options', () => {
      const names = (layer: LayerNorm | RMSNorm) =>
        layer.namedParameters().map(([name, p]) => `${name} [${p.shape}]`);
      assert.equal(names(new LayerNorm([3, 4])), ['weight [3,4]', 'bias [3,4]']);
      assert.equal(names(new LayerNorm(4, { bias: false })), ['weight [4]']);
      assert.equal(names(new LayerNorm(4, { affine: false })), []);
      assert.equal(names(new RMSNorm(4)), ['weight [4]']);
      const x = rng.normal([3, 4]);
      near(new LayerNorm(4).forward(x), layerNorm(x).toArray());
      near(new RMSNorm(4).forward(x), rmsNorm(x).toArray());
      const layer = new LayerNorm(4, { eps: 1 });
      layer.weight!.set([1, 2, 3, 4]);
      near(
        layer.forward(x),
        layerNorm(x, 4, { eps: 1 })
          .mul(tensor([1, 2, 3, 4]))
          .toArray(),
      );
    });

    test('shapes that do not end in the normalised shape are refused, and the error names both', () => {
      refused(() => layerNorm(zeros([2, 3]), 4), ShapeError, 'layerNorm: expected [..., 4], got shape [2,3]');
      refused(() => rmsNorm(zeros([3]), [2, 3]), ShapeError, 'rmsNorm: expected [..., 2,3], got shape [3]');
      refused(
        () => layerNorm(zeros([2, 3]), 3, { weight: zeros([2]) }),
        ShapeError,
        'layerNorm: expected a weight [3], got [2]',
      );
      refused(() => new LayerNorm(0), ValueError, 'LayerNorm: expected sizes >= 1, got [0]');
      refused(() => new RMSNorm([]), ValueError, 'RMSNorm: expected sizes >= 1, got []');
    });

    test('dropout keeps a share 1 - p and the mean, in training only', () => {
      const n = 100_000;
      for (const p of [0.1, 0.5, 0.9]) {
        const y = dropout(ones([n]), p, { rng: new Rng(2) }).toTypedArray();
        const kept = y.filter((value) => value !== 0);
        assert.ok(kept.every((value) => Math.fround(value) === Math.fround(1 / (1 - p))));
        // Five standard deviations of a binomial.
        assert.ok(
          Math.abs(kept.length - n * (1 - p)) < 5 * Math.sqrt(n * p * (1 - p)),
          `${kept.length} of ${n}`,
        );
      }
      const some = full([3], NaN);
      assert.is(dropout(some, 0), some, 'nothing is dropped, so that nothing is computed');
      near(dropout(ones([2]), 1), [0, 0]);
      const x = ones([3]);
      assert.is(dropout(x, 0.5, { training: false }), x);
      const layer = new Dropout(0.5, { rng: new Rng(3) });
      assert.is(new Sequential(layer).eval().forward(x), x);
      assert.is.not(new Sequential(layer).train().forward(x), x);
      assert.equal([...layer.stateDict().keys()], []);
      refused(() => dropout(x, 1.5), ValueError, 'dropout: expected a probability from 0 to 1, got 1.5');
      refused(() => new Dropout(-1), ValueError, 'Dropout: expected a probability from 0 to 1, got -1');
    });

    test('the gradient of dropout is that of the kept elements, and the same seed drops the same elements', () => {
      const x = tensor([1, 2, 3, 4, 5, 6, 7, 8], { requiresGrad: true });
      const y = dropout(x, 0.5, { rng: new Rng(7) });
      y.sum().backward();
      near(x.grad!, y.div(x).toArray());
      near(dropout(x, 0.5, { rng: new Rng(7) }), y.toArray());
    });

    test('an embedding has the rows that its indices name, in their shape', () => {
      const table = new Embedding(4, 2, { rng: new Rng(1) });
      assert.equal(
        table.namedParameters().map(([name, p]) => `${name} [${p.shape}]`),
        ['weight [4,2]'],
      );
      table.weight.set([0, 1, 10, 11, 20, 21, 30, 31]);
      near(table.forward(Int32Array.of(3, 0)), [
        [30, 31],
        [0, 1],
      ]);
      near(table.forward([[1], [2]]), [[[10, 11]], [[20, 21]]]);
      assert.equal(table.forward([]).shape, [0, 2]);
      table.forward([1, 1, 3]).sum().backward();
      near(table.weight.grad!, [
        [0, 0],
        [2, 2],
        [0, 0],
        [1, 1],
      ]);
      refused(() => table.forward([4]), ValueError, 'Embedding: expected indices from 0 to 3, got 4 at 0');
      refused(() => new Embedding(0, 2), ValueError, 'Embedding: expected sizes >= 1, got 0 and 2');
    });

    test('initial values of an embedding are standard normals', () => {
      const values = new Embedding(200, 50, { rng: new Rng(9) }).weight.toTypedArray();
      const m = mean(Array.from(values));
      const variance = mean(Array.from(values, (v) => (v - m) ** 2));
      assert.ok(
        Math.abs(m) < 5 / 100 && Math.abs(variance - 1) < 5 * Math.sqrt(2 / 10_000),
        `${m} ${variance}`,
      );
    });

    test('Identity and Flatten leave the elements', () => {
      const x = rng.normal([2, 3, 4]);
      assert.is(new Identity().forward(x), x);
      assert.equal(new Flatten().forward(x).shape, [2, 12]);
      assert.equal(new Flatten(0).forward(x).shape, [24]);
      assert.equal(new Flatten(0, 1).forward(x).shape, [6, 4]);
      assert.equal(new Flatten().forward(zeros([5])).shape, [5, 1]);
      refused(
        () => new Flatten().forward(tensor(1)),
        ShapeError,
        'Flatten: expected [batch, ...], got a scalar',
      );
    });
  }),
);
