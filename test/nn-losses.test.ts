/**
 * Losses, as functions and as modules, compared with their formulas in float64, written as in PyTorch's documentation.
 * Their gradients are compared with finite differences.
 */
import * as assert from 'uvu/assert';
import { gradcheck } from '../src/autograd/gradcheck.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { bceWithLogits, crossEntropy, huberLoss, l1Loss } from '../src/nn/loss.ts';
import { BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, L1Loss, MSELoss } from '../src/nn/loss-modules.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor, zeros } from '../src/tensor/create.ts';
import { mse } from '../src/tensor/functions.ts';
import type { Reduction } from '../src/tensor/reduction.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { near, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const rng = new Rng(11);
const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'none'];

const rows = (x: Tensor) => x.reshape(-1, x.shape.at(-1)!).toArray() as number[][];
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** ln softmax of a row. */
const logSoftmax = (row: readonly number[]) => {
  const log = Math.log(sum(row.map(Math.exp)));
  return row.map((x) => x - log);
};

const reduce = (values: readonly number[], reduction: Reduction) =>
  reduction === 'none' ? [...values] : reduction === 'sum' ? sum(values) : sum(values) / values.length;

const differs = (f: (...xs: Tensor[]) => Tensor, ...xs: Tensor[]) =>
  assert.ok(gradcheck(f, xs) < 1e-6, `gradient off by ${gradcheck(f, xs)}`);

suite(
  'losses',
  scoped((test) => {
    const logits = rng.normal([4, 3]);
    const labels = Int32Array.of(2, 0, 0, 1);

    test('crossEntropy of labels is -ln softmax at the label: reduced, weighted by class and smoothed', () => {
      const logs = rows(logits).map(logSoftmax);
      near(crossEntropy(logits, labels), -sum(logs.map((row, i) => row[labels[i]])) / 4);
      for (const labelSmoothing of [0, 0.3]) {
        for (const weight of [
          [1, 1, 1],
          [0.5, 2, 3],
        ]) {
          const losses = logs.map((row, i) => {
            const smooth = sum(row.map((log, c) => -log * weight[c])) / 3;
            return (1 - labelSmoothing) * -row[labels[i]] * weight[labels[i]] + labelSmoothing * smooth;
          });
          const total = sum([...labels].map((label) => weight[label]));
          for (const reduction of REDUCTIONS) {
            const expected = reduction === 'mean' ? sum(losses) / total : reduce(losses, reduction);
            near(crossEntropy(logits, labels, { reduction, weight, labelSmoothing }), expected, 2e-6);
          }
        }
      }
      differs((x) => crossEntropy(x, labels, { weight: [1, 2, 3], labelSmoothing: 0.1 }), rng.normal([4, 3]));
    });

    test('crossEntropy of probabilities is -Σ q·ln softmax, and one-hot probabilities are labels', () => {
      const q = rng.normal([4, 3]).softmax();
      const losses = rows(logits).map((row, i) => -sum(logSoftmax(row).map((log, c) => log * rows(q)[i][c])));
      for (const reduction of REDUCTIONS)
        near(crossEntropy(logits, q, { reduction }), reduce(losses, reduction));
      const hot = tensor([
        [0, 0, 1],
        [1, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
      ]);
      for (const labelSmoothing of [0, 0.2]) {
        near(
          crossEntropy(logits, hot, { labelSmoothing }),
          crossEntropy(logits, labels, { labelSmoothing }).toArray(),
        );
      }
      differs((x, z) => crossEntropy(x, z.softmax()), rng.normal([2, 3]), rng.normal([2, 3]));
    });

    test('classes are along the last axis, after any other axes', () => {
      const x = rng.normal([2, 2, 3]);
      near(
        crossEntropy(x, labels, { reduction: 'none' }).flatten(),
        crossEntropy(x.reshape(4, 3), labels, { reduction: 'none' }).toArray(),
      );
      assert.equal(crossEntropy(x, labels, { reduction: 'none' }).shape, [2, 2]);
    });

    test('a logit of 1000 gives no infinity', () => {
      near(crossEntropy(tensor([[1000, 0, -1000]]), [1]), 1000);
      const x = tensor([-1000, 1000, 0]);
      near(bceWithLogits(x, tensor([0, 1, 1]), { reduction: 'none' }), [0, 0, Math.LN2]);
      near(bceWithLogits(x, tensor([1, 0, 1]), { reduction: 'none' }), [1000, 1000, Math.LN2]);
    });

    test('bceWithLogits is the cross-entropy of two classes, with a weight of the positive one', () => {
      const x = rng.normal([6]);
      const t = tensor([0, 1, 0.25, 1, 0, 0.5]);
      const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
      for (const posWeight of [1, 3]) {
        const losses = rows(x)[0].map((v, i) => {
          const target = rows(t)[0][i];
          return -posWeight * target * Math.log(sigmoid(v)) - (1 - target) * Math.log(1 - sigmoid(v));
        });
        for (const reduction of REDUCTIONS) {
          near(bceWithLogits(x, t, { reduction, posWeight }), reduce(losses, reduction), 2e-6);
        }
        differs((y, z) => bceWithLogits(y, z, { posWeight }), rng.normal([6]), rng.uniform([6], 0.1, 0.9));
      }
    });

    test('l1Loss and huberLoss have their formulas for small and large errors', () => {
      const a = tensor([0, 0.5, -3, 2]);
      const b = tensor([0, 0, 0, 0]);
      near(l1Loss(a, b, { reduction: 'none' }), [0, 0.5, 3, 2]);
      near(l1Loss(a, b), 5.5 / 4);
      near(huberLoss(a, b, { reduction: 'none' }), [0, 0.125, 2.5, 1.5]);
      near(huberLoss(a, b, { reduction: 'sum', delta: 2 }), 0.125 + 2 * (3 - 1) + 2);
      differs((x, y) => huberLoss(x.mul(3), y), rng.normal([20]), rng.normal([20]));
      differs((x, y) => l1Loss(x, y), rng.normal([5]), rng.normal([5]).add(10));
    });

    test('loss modules equal their functions', () => {
      const [a, b] = [rng.normal([3, 2]), rng.normal([3, 2])];
      const same = (x: Tensor, y: Tensor) => assert.equal(x.toArray(), y.toArray());
      same(new MSELoss().forward(a, b), mse(a, b));
      same(new L1Loss({ reduction: 'sum' }).forward(a, b), l1Loss(a, b, { reduction: 'sum' }));
      same(new HuberLoss({ delta: 0.1 }).forward(a, b), huberLoss(a, b, { delta: 0.1 }));
      same(new BCEWithLogitsLoss().forward(a, b.sigmoid()), bceWithLogits(a, b.sigmoid()));
      same(
        new CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(a, [1, 0, 1]),
        crossEntropy(a, [1, 0, 1], { labelSmoothing: 0.1 }),
      );
      assert.equal(new MSELoss().parameters(), []);
    });

    test('invalid labels, probabilities and options are refused in one line', () => {
      refused(
        () => crossEntropy(logits, [0, 1, 2, 3]),
        ValueError,
        'crossEntropy: expected labels from 0 to 2, got 3 at 3',
      );
      refused(
        () => crossEntropy(logits, [0, 1]),
        ShapeError,
        'crossEntropy: expected 4 labels for logits [4,3], got 2',
      );
      refused(
        () =>
          crossEntropy(
            logits,
            tensor([
              [1, 0, 0],
              [0, 1, 0],
              [0.5, 0.4, 0],
              [0, 0, 1],
            ]),
          ),
        ValueError,
        'crossEntropy: expected probabilities that sum to 1, got a sum of 0.9000 in row 2',
      );
      refused(() => crossEntropy(tensor([[0, 0]]), tensor([[1.5, -0.5]])), ValueError, /got a negative one/);
      refused(
        () => crossEntropy(logits, zeros([3, 4])),
        ShapeError,
        'crossEntropy: expected equal shapes, got [4,3] and [3,4]',
      );
      refused(
        () => crossEntropy(logits, 3 as never),
        ValueError,
        /expected labels or a tensor of probabilities, got 3/,
      );
      refused(
        () => crossEntropy(logits, labels, { weight: [1, 2] }),
        ValueError,
        'crossEntropy: expected a weight of 0 or more for each of 3 classes, got [1,2]',
      );
      refused(
        () => crossEntropy(logits, labels, { reduction: 'average' as never }),
        ValueError,
        /crossEntropy: reduction: expected one of mean, sum, none, got "average"/,
      );
      refused(() => crossEntropy(logits, labels, { labelSmoothing: 2 }), ValueError, /from 0 to 1, got 2/);
      refused(
        () => l1Loss(zeros([2]), zeros([3])),
        ShapeError,
        'l1Loss: expected equal shapes, got [2] and [3]',
      );
      refused(
        () => huberLoss(zeros([2]), zeros([2]), { delta: 0 }),
        ValueError,
        /huberLoss: expected delta > 0/,
      );
      refused(
        () => bceWithLogits(zeros([2]), 1 as never),
        ValueError,
        'bceWithLogits: expected a tensor, got 1',
      );
    });
  }),
);
