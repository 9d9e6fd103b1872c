/**
 * Arrays that are written to between the forward and the backward pass. The backward pass is refused if, and only if, a
 * derivative reads the array. Expected gradients are those of the old elements, as closed forms or computed without the
 * write.
 */
import * as assert from 'uvu/assert';
import type { OpDef, Sample } from '../src/autograd/op.ts';
import { apply, noGrad, scope, tapeLength } from '../src/autograd/tape.ts';
import { sizeOf } from '../src/autograd/variable.ts';
import { combine } from '../src/diffusion/combine.ts';
import { LangevinError } from '../src/errors.ts';
import { Linear } from '../src/nn/linear.ts';
import { ALL_OPS } from '../src/ops/table.ts';
import { Adam } from '../src/optim/adam.ts';
import { clipGradNorm } from '../src/optim/clip.ts';
import { Ema } from '../src/optim/ema.ts';
import { SGD } from '../src/optim/sgd.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused, scoped, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

const changed = (op: string, what: string, shape: string) =>
  `backward: the derivative of ${op} reads ${what} of shape [${shape}], which was written to after ${op} ran: write to a clone() of it, or after backward()`;

/** The gradients of an op's inputs after the arrays `written` got other elements between the passes. */
function gradients(op: OpDef<unknown>, sample: Sample<unknown>, written: OpDef['saves']) {
  const { shapes, attrs, domain = [-2, 2] } = sample;
  return scope(() => {
    const draw = (seed: string, shape: readonly number[]) =>
      tensor(uniforms(seed, sizeOf(shape), ...domain), shape, { requiresGrad: true });
    const xs = shapes.map((shape, i) => draw(`${op.name} ${i}`, shape));
    const y = apply(op, xs, attrs);
    for (const which of written) {
      const array = which === 'y' ? y : xs[which]!;
      array.copyFrom(draw('other', array.shape));
    }
    y.backward(draw('dy', y.shape));
    return xs.map((x) => Array.from(x.grad!.toTypedArray()));
  });
}

suite('versions', (test) => {
  for (const op of ALL_OPS.filter(({ constant }) => !constant)) {
    test(`an array that ${op.name} saves must not be written to before the backward pass, and others may`, () => {
      for (const sample of op.samples()) {
        for (const which of [...sample.shapes.keys(), 'y' as const]) {
          const shape = which === 'y' ? op.shape(sample.shapes, sample.attrs) : sample.shapes[which]!;
          if (op.saves.includes(which)) {
            refused(
              () => gradients(op, sample, [which]),
              LangevinError,
              changed(op.name, which === 'y' ? 'its result' : `its input ${which}`, shape.join()),
            );
          } else {
            assert.equal(gradients(op, sample, [which]), gradients(op, sample, []));
          }
        }
      }
    });
  }

  scoped((test) => {
    /** x² after a write, which must be refused. */
    const refusesSquareAfter = (x: Tensor, write: () => void) => {
      const loss = x.mul(x).sum();
      write();
      refused(() => loss.backward(), LangevinError, changed('mul', 'its input 0', x.shape.join()));
    };

    test('every way to write to a tensor is seen', () => {
      const rng = new Rng(0);
      const x = leaf([1, 2]);
      refusesSquareAfter(x, () => x.set([3, 4]));
      refusesSquareAfter(x, () => x.copyFrom(tensor([3, 4])));
      refusesSquareAfter(x, () => void noGrad(() => x.set([3, 4])));
      refusesSquareAfter(x, () => rng.normalInto(x));
      refusesSquareAfter(x, () => rng.uniformInto(x, -1, 1));
      refusesSquareAfter(x, () => combine(x, [2, x]));
    });

    test('steps of optimisers, averages and loaded states are writes', () => {
      const layer = new Linear(2, 1, { rng: new Rng(0) });
      const { weight } = layer;
      const ema = new Ema(layer);
      const other = new Linear(2, 1, { rng: new Rng(1) });
      for (const make of [SGD, Adam]) {
        const optimizer = new make(layer.parameters());
        optimizer.zeroGrad();
        scope(() =>
          layer
            .forward(tensor([[1, 2]]))
            .sum()
            .backward(),
        );
        refusesSquareAfter(weight, () => optimizer.step());
      }
      refusesSquareAfter(weight, () => layer.loadStateDict(other.stateDict()));
      refusesSquareAfter(weight, () => ema.swapIn());
      refusesSquareAfter(weight, () => ema.swapOut());
      refusesSquareAfter(weight, () => ema.copyTo(layer));
      const average = ema.stateDict().get('weight')!.requireGrad();
      refusesSquareAfter(average, () => ema.update());
    });

    test('a backward pass and clipping write to gradients', () => {
      const x = leaf([3]);
      const w = leaf([5]);
      const useOf = (gradient: Tensor) => w.mul(gradient).sum();
      x.mul(x).sum().backward();
      const [first, second] = [useOf(x.grad!), useOf(x.grad!)];
      first.backward();
      assert.equal(w.grad!.toArray(), [6]);
      x.mul(x).sum().backward();
      refused(() => second.backward(), LangevinError, changed('mul', 'its input 1', '1'));
      const third = useOf(x.grad!);
      clipGradNorm([x], 0.5);
      refused(() => third.backward(), LangevinError, changed('mul', 'its input 1', '1'));
    });

    test('a write before the forward pass, or after the backward pass, is allowed', () => {
      const x = leaf([1, 2]);
      for (const values of [
        [3, 4],
        [5, 6],
      ]) {
        x.set(values);
        x.zeroGrad();
        x.mul(x).sum().backward();
        assert.equal(
          x.grad!.toArray(),
          values.map((value) => 2 * value),
        );
      }
    });

    test('a write between two passes over one graph is refused by the second', () => {
      const x = leaf([1, 2]);
      const loss = x.mul(x).sum();
      loss.backward(null, { retainGraph: true });
      x.set([3, 4]);
      refused(() => loss.backward(), LangevinError, changed('mul', 'its input 0', '2'));
    });

    test('tensors that share their memory share the version', () => {
      const x = leaf([1, 2]);
      refusesSquareAfter(x, () => x.reshape(2, 1).set([3, 4]));
      const column = x.reshape(2, 1).reshape(1, 2);
      const loss = column.mul(column).sum();
      x.set([3, 4]);
      refused(() => loss.backward(), LangevinError, changed('mul', 'its input 0', '1,2'));
      const y = x.exp();
      const sum = y.sum();
      y.reshape(2, 1).set([0, 0]);
      refused(() => sum.backward(), LangevinError, changed('exp', 'its result', '2'));
    });

    test('a parameter in an optimiser’s block has a version of its own', () => {
      const [p, q] = [leaf([1, 2]), leaf([3, 4])];
      const before = p.reshape(2, 1);
      const optimizer = new SGD([p, q], { lr: 0.5 });
      const loss = q.mul(q).sum().add(before.mul(before).sum());
      p.mul(1).sum().backward();
      optimizer.step();
      assert.equal(p.toArray(), [0.5, 1.5]);
      optimizer.zeroGrad();
      loss.backward();
      assert.equal(q.grad!.toArray(), [6, 8]);
      // `before` has the old memory of p, with the old values.
      assert.equal(p.grad!.toArray(), [2, 4]);
    });

    test('a factor may change if only its own gradient is required, because that gradient does not read it', () => {
      const w = leaf([1, 2]);
      const loss = w.mul(3).sum();
      w.set([5, 6]);
      loss.backward();
      assert.equal(w.grad!.toArray(), [3, 3]);
      const factor = tensor([3, 3]);
      const next = w.mul(factor).sum();
      factor.set([1, 1]);
      refused(() => next.backward(), LangevinError, changed('mul', 'its input 1', '2'));
    });

    test('the remedy in the message works', () => {
      const x = leaf([1, 2]);
      const y = x.mul(x);
      y.clone().set([0, 0]);
      y.mul(y).sum().backward();
      assert.equal(x.grad!.toArray(), [4, 32]);
    });
  })(test);

  test('after such an error the tape works as before', () => {
    const x = leaf([2]);
    scope(() => {
      const loss = x.mul(x).sum();
      x.set([3]);
      assert.throws(() => loss.backward());
      x.zeroGrad();
      x.mul(x).sum().backward();
      assert.equal(x.grad!.toArray(), [6]);
    });
    assert.is(tapeLength(), 0);
  });
});
