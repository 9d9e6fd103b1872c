/**
 * Typical mistakes of a PyTorch user, and the error messages: modules in arrays, parameters made inside a scope, hooks
 * that return a gradient, invalid options, tensors of labels, transforms that lose samples.
 */
import * as assert from 'uvu/assert';
import * as langevin from '../src/index.ts';
import { near, refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const { LangevinError, LifetimeError, Linear, Module, ShapeError, tensor, ValueError, zeros } = langevin;
const leaf = (values = [1, 2, 3]) => tensor(values, { requiresGrad: true });

class Stack extends Module {
  readonly blocks = [new Linear(2, 3), new Linear(3, 2, { bias: false })];
  readonly drops = [new langevin.Dropout(0.5)];
  readonly scales = [leaf(), leaf()];
  readonly sizes = [1, 2, 3];
}

suite('what a newcomer writes', (test) => {
  test('modules and parameters in arrays belong to the model', () => {
    const model = new Stack();
    assert.equal(
      model.namedParameters().map(([name, p]) => `${name} [${p.shape}]`),
      ['scales.0 [3]', 'scales.1 [3]', 'blocks.0.weight [3,2]', 'blocks.0.bias [3]', 'blocks.1.weight [2,3]'],
    );
    assert.not(model.eval().drops[0].training);
    assert.equal([...model.stateDict().keys()].length, 5);
  });

  test('an error names a parameter that would be freed with a scope', () => {
    class Scale extends Module {
      readonly weight = tensor([1, 2], { requiresGrad: true });
    }
    langevin.scope(() =>
      refused(
        () => new Scale().parameters(),
        LifetimeError,
        /^weight: expected a parameter outside of scopes/,
      ),
    );
    assert.is(new Scale().parameters().length, 1);
  });

  const options: Readonly<Record<string, () => unknown>> = {
    'MSELoss: reduction: expected one of mean, sum, none, got "average"': () =>
      new langevin.MSELoss({ reduction: 'average' as never }),
    'crossEntropy: expected a label smoothing from 0 to 1, got 7': () =>
      new langevin.CrossEntropyLoss({ labelSmoothing: 7 }),
    'huberLoss: expected delta > 0, got -1': () => new langevin.HuberLoss({ delta: -1 }),
    'layerNorm: expected eps >= 0, got -1': () => langevin.layerNorm(zeros([3]), 3, { eps: -1 }),
    'layerNorm: expected [..., features], got a scalar': () => langevin.layerNorm(tensor(3)),
    'Dropout: expected a probability from 0 to 1, got "0.5"': () => new langevin.Dropout('0.5' as never),
    'Sequential: expected layers, got an array of 1 at 0': () =>
      new langevin.Sequential([new Linear(1, 1)] as never),
    'Adam: expected two betas, got an array of 1': () =>
      new langevin.Adam([leaf()], { betas: [0.9] as never }),
    'Adam: expected a learning rate >= 0 and finite, got null': () =>
      new langevin.Adam([leaf()], { lr: null as never }),
    'clamp: expected numbers, got a tensor []': () => leaf().clamp(tensor(2) as never, 3),
    'set: expected numbers, got "abc" at 1': () => leaf([1, 2]).set([1, 'abc' as never]),
    'linear: expected a tensor, got null': () => new Linear(3, 2).forward(null as never),
    'bceWithLogits: expected targets from 0 to 1, got 7': () =>
      langevin.bceWithLogits(zeros([2]), tensor([0, 7])),
    'backward: expected a tensor or null as the gradient, got an object { retainGraph }': () =>
      leaf()
        .sum()
        .backward({ retainGraph: true } as never),
    'std: expected an axis from -1 to 0, got 5': () => leaf().std(5),
    'norm: expected an axis from -1 to 0, got 5': () => leaf().norm(2, 5),
  };
  for (const [message, mistake] of Object.entries(options)) {
    test(`a mistake gives one line: ${message}`, () =>
      refused(
        mistake,
        langevin.LangevinError,
        new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`),
      ));
  }
});

suite(
  'what a newcomer expects',
  scoped((test) => {
    test('mse has reductions, as all losses do', () => {
      const [a, b] = [tensor([1, 2]), tensor([0, 4])];
      near(langevin.mse(a, b, { reduction: 'sum' }), 5);
      near(new langevin.MSELoss({ reduction: 'none' }).forward(a, b), [1, 4]);
    });

    test('a gradient hook that returns another tensor is refused, because that tensor would not be used', () => {
      const x = leaf();
      x.onGradient((g) => g.mul(0.5));
      refused(
        () => x.sum().backward(),
        ValueError,
        /^onGradient: expected a hook that changes the gradient in place/,
      );
    });

    test('NaN is the largest value, also in a search for the smallest', () => {
      const x = tensor([1, NaN, 3]);
      assert.equal(x.topk(2, 0, { largest: false }).indices, Int32Array.of(0, 2));
      assert.equal(x.topk(3).indices, Int32Array.of(1, 2, 0));
    });

    test('the few largest and all sorted values have the same order', () => {
      const x = new langevin.Rng(3).uniform([3, 100]).mul(20).sub(10).relu();
      const all = x.topk(100, 1, { largest: false });
      const few = x.topk(9, 1, { largest: false });
      near(few.values, all.values.slice([0, 0], [3, 9]).toArray());
      for (let row = 0; row < 3; row++) {
        assert.equal(few.indices.slice(9 * row, 9 * row + 9), all.indices.slice(100 * row, 100 * row + 9));
      }
    });

    test('a condition gets no gradient', () => {
      const condition = leaf([0, 1, 2]);
      const x = leaf();
      langevin.where(condition, x, 0).sum().backward();
      assert.is(condition.grad, null);
      near(x.grad!, [0, 1, 1]);
    });

    test('without rows the sum of a loss is 0 and its mean is NaN', () => {
      near(langevin.crossEntropy(zeros([0, 3]), [], { reduction: 'sum' }), 0);
      assert.ok(Number.isNaN(langevin.crossEntropy(zeros([0, 3]), []).item()));
    });

    test('a tensor of labels is refused, and the error says how to give labels', () => {
      refused(
        () => langevin.crossEntropy(zeros([2, 3]), tensor([0, 1])),
        ValueError,
        /expected labels as an Int32Array or an array, such as target.toTypedArray\(\)/,
      );
    });

    test('gradcheck inside noGrad is refused, because nothing is recorded there', () => {
      const check = () => langevin.gradcheck((x) => x.mul(x), [tensor([1, 2])]);
      refused(() => langevin.noGrad(check), LangevinError, /^gradcheck: expected the tape to record/);
      assert.ok(check() < 1e-6);
    });

    test('maps that change after affineSample do not change its gradient', () => {
      const maps = Float64Array.of(1, 0, 0, 0, 1, 0);
      const x = zeros([1, 2, 1, 1], { requiresGrad: true });
      const sum = langevin.affineSample(x, maps).sum();
      maps.fill(0);
      sum.backward();
      assert.equal([...x.grad!.toTypedArray()], [1, 1]);
    });

    test('a transform that loses samples is refused', () => {
      const rows = new langevin.TensorDataset(zeros([2, 3]), zeros([2]));
      const loader = new langevin.DataLoader(rows, { batchSize: 2, transform: (x) => x.slice([0], [1]) });
      refused(
        () => loader.next(),
        ShapeError,
        'loader: expected a transform that keeps the 2 samples of a batch, got shape [1,3]',
      );
    });

    test('a linear layer takes a single row', () => {
      const layer = new Linear(3, 2);
      const x = leaf();
      near(layer.forward(x), (layer.forward(x.unsqueeze(0)).toArray() as number[][])[0]);
    });
  }),
);
