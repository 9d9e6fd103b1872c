import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { ValueError } from '../src/errors.ts';
import { Adam, AdamW } from '../src/optim/adam.ts';
import type { Optimizer, ParameterState } from '../src/optim/optimizer.ts';
import { RMSprop } from '../src/optim/rmsprop.ts';
import { SGD } from '../src/optim/sgd.ts';
import { Rng } from '../src/random/rng.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const SHAPES = [[3, 5], [7], []];
const parameters = (): Tensor[] => {
  const rng = new Rng('parameters');
  return SHAPES.map((shape) => rng.normal(shape).requireGrad());
};

/** Minimises the sum of squares of all parameters. Every second step leaves out the last parameter. */
function train(optimizer: Optimizer, all: readonly Tensor[], from: number, to: number): void {
  for (let step = from; step < to; step++) {
    scope(() => {
      optimizer.zeroGrad();
      const used = step % 2 === 0 ? all : all.slice(0, -1);
      used
        .map((p) => p.mul(p).sum())
        .reduce((a, b) => a.add(b))
        .backward();
      optimizer.step();
    });
  }
}

const bits = (all: readonly Tensor[]) => all.map((p) => [...p.toTypedArray()]);

const MAKERS: readonly [string, (p: readonly Tensor[]) => Optimizer, string[]][] = [
  ['Adam', (p) => new Adam(p, { lr: 0.1 }), ['m', 'v']],
  ['AdamW', (p) => new AdamW(p, { lr: 0.1 }), ['m', 'v']],
  ['SGD', (p) => new SGD(p, { lr: 0.1 }), []],
  ['SGD with momentum', (p) => new SGD(p, { lr: 0.1, momentum: 0.9, dampening: 0.5 }), ['momentumBuffer']],
  ['RMSprop', (p) => new RMSprop(p, { lr: 0.1 }), ['squareAverage']],
  [
    'centred RMSprop with momentum',
    (p) => new RMSprop(p, { lr: 0.01, eps: 0.1, momentum: 0.9, centered: true }),
    ['squareAverage', 'gradientAverage', 'momentumBuffer'],
  ],
];

const tensorsOf = (state: ParameterState) => state as unknown as Record<string, Tensor>;
const kept = ({ steps: _, ...state }: ParameterState) =>
  Object.fromEntries(Object.entries(tensorsOf(state as ParameterState)).map(([key, x]) => [key, x.keep()]));

suite('optimiser state', (test) => {
  for (const [name, make, tensors] of MAKERS) {
    test(`${name} continues from a saved state with the same bits, also if parameters have different step counts`, () => {
      const whole = parameters();
      train(make(whole), whole, 0, 9);
      const first = parameters();
      const one = make(first);
      train(one, first, 0, 5);
      assert.equal(
        one.state.map(({ steps }) => steps),
        [5, 5, 3],
      );
      for (const [i, state] of one.state.entries()) {
        assert.equal(Object.keys(state), [...tensors, 'steps']);
        for (const key of tensors) assert.equal(tensorsOf(state)[key].shape, SHAPES[i]);
      }
      const saved = one.state.map((state) => ({ ...state, ...kept(state) }));
      const second = first.map((p) => p.keep().requireGrad());
      const two = make(second);
      two.loadState(saved);
      train(two, second, 5, 9);
      assert.equal(bits(second), bits(whole));
      const forgetful = first.map((p) => p.keep().requireGrad());
      train(make(forgetful), forgetful, 5, 9);
      if (tensors.length > 0) assert.not.equal(bits(forgetful), bits(whole));
    });
  }

  test('a state that does not fit is refused, and changes nothing', () => {
    const all = parameters();
    const adam = new Adam(all);
    train(adam, all, 0, 2);
    const { state } = adam;
    const before = bits(state.flatMap(({ m, v }) => [m, v]));
    const zeros = state.map(({ m, steps }) => ({ m: m.mul(0), v: m.mul(0), steps }));
    refused(
      () => adam.loadState(zeros.slice(1)),
      ValueError,
      /Adam: expected the state \(m, v, steps\) of 3 parameters/,
    );
    refused(() => adam.loadState([zeros[1], zeros[0], zeros[2]]), ValueError, /of the same shapes/);
    refused(
      () => adam.loadState(state.map(({ m, steps }) => ({ m, steps })) as never),
      ValueError,
      /got another/,
    );
    refused(
      () => adam.loadState(state.map((one) => ({ ...one, momentumBuffer: one.m }))),
      ValueError,
      /got another/,
    );
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
