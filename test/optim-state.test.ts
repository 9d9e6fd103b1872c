import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { ValueError } from '../src/errors.ts';
import { Adam, AdamW } from '../src/optim/adam.ts';
import { Rng } from '../src/random/rng.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const SHAPES = [[3, 5], [7], []];
const parameters = (): Tensor[] => {
  const rng = new Rng('parameters');
  return SHAPES.map((shape) => rng.normal(shape).requireGrad());
};

/** Steps down the sum of squares of all parameters but, in every second step, the last one. */
function train(adam: Adam, all: readonly Tensor[], from: number, to: number): void {
  for (let step = from; step < to; step++) {
    scope(() => {
      adam.zeroGrad();
      const used = step % 2 === 0 ? all : all.slice(0, -1);
      used
        .map((p) => p.mul(p).sum())
        .reduce((a, b) => a.add(b))
        .backward();
      adam.step();
    });
  }
}

const bits = (all: readonly Tensor[]) => all.map((p) => [...p.toTypedArray()]);

suite('optimiser state', (test) => {
  test('Adam and AdamW go on from a saved state with the same bits, also where parameters took other steps', () => {
    for (const Kind of [Adam, AdamW]) {
      const whole = parameters();
      train(new Kind(whole, { lr: 0.1 }), whole, 0, 9);
      const first = parameters();
      const one = new Kind(first, { lr: 0.1 });
      train(one, first, 0, 5);
      assert.equal(
        one.state.map(({ steps, m, v }) => [steps, m.shape, v.shape]),
        [5, 5, 3].map((steps, i) => [steps, SHAPES[i], SHAPES[i]]),
      );
      const saved = one.state.map(({ m, v, steps }) => ({ m: m.keep(), v: v.keep(), steps }));
      const second = first.map((p) => p.keep().requireGrad());
      const two = new Kind(second, { lr: 0.1 });
      two.loadState(saved);
      train(two, second, 5, 9);
      assert.equal(bits(second), bits(whole));
      const forgetful = first.map((p) => p.keep().requireGrad());
      train(new Kind(forgetful, { lr: 0.1 }), forgetful, 5, 9);
      assert.not.equal(bits(forgetful), bits(whole));
    }
  });

  test('a state that does not fit is refused, and changes nothing', () => {
    const all = parameters();
    const adam = new Adam(all);
    train(adam, all, 0, 2);
    const { state } = adam;
    const before = bits(state.flatMap(({ m, v }) => [m, v]));
    const zeros = state.map(({ m, steps }) => ({ m: m.mul(0), v: m.mul(0), steps }));
    refused(() => adam.loadState(zeros.slice(1)), ValueError, /expected the state of 3 parameters/);
    refused(() => adam.loadState([zeros[1], zeros[0], zeros[2]]), ValueError, /of the same shapes/);
    for (const steps of [-1, 1.5, Number.NaN]) {
      refused(
        () => adam.loadState([zeros[0], zeros[1], { ...zeros[2], steps }]),
        ValueError,
        /steps >= 0, got/,
      );
    }
    assert.equal(bits(adam.state.flatMap(({ m, v }) => [m, v])), before);
  });
});
