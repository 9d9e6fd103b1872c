/** Hooks of gradients: when they are called, their arguments, and what they may change. Gradients are closed forms. */
import * as assert from 'uvu/assert';
import { scope, tapeLength } from '../src/autograd/tape.ts';
import { LangevinError, LifetimeError, ValueError } from '../src/errors.ts';
import { SGD } from '../src/optim/sgd.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { refused, scoped } from './helpers.ts';
import { suite } from './suite.ts';

const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });
const clampInPlace = (g: Tensor) => void g.copyFrom(g.clamp(-1, 1));

suite('hooks of gradients', (test) => {
  scoped((test) => {
    test('the hook of a result is called once with the whole gradient, before the gradient is used', () => {
      const x = leaf([1, 2]);
      const y = x.mul(3);
      const seen: unknown[] = [];
      y.onGradient((g) => seen.push(g.toArray(), x.grad));
      y.mul(y).add(y).sum().backward();
      // dL/dy = 2·y + 1, summed over three uses.
      assert.equal(seen, [[7, 13], null]);
      assert.equal(x.grad!.toArray(), [21, 39]);
    });

    test('the hook of a leaf is called once, at the end of the pass, with the sum so far', () => {
      const x = leaf([1, 2]);
      const seen: unknown[] = [];
      x.onGradient((g) => {
        assert.is(g, x.grad);
        seen.push(g.toArray());
      });
      const pass = () => x.mul(x).add(x).sum().backward();
      pass();
      assert.equal(seen, [[3, 5]]);
      pass();
      assert.equal(seen, [
        [3, 5],
        [6, 10],
      ]);
      x.zeroGrad();
      pass();
      assert.equal(seen[2], [3, 5]);
      x.backward(tensor([1, 1]));
      assert.equal(seen[3], [4, 6], 'a leaf that is the root itself');
    });

    test('a pass that does not reach a tensor does not call its hook', () => {
      const [x, w] = [leaf([1]), leaf([2])];
      const y = x.mul(2);
      let calls = 0;
      for (const t of [x, y]) t.onGradient(() => calls++);
      w.mul(3).backward();
      assert.is(calls, 0);
      y.backward();
      assert.is(calls, 2);
    });

    test('the gradient that a hook writes is used further, and by an optimiser', () => {
      const x = leaf([1, 2]);
      const y = x.mul(3);
      y.onGradient(clampInPlace);
      y.mul(tensor([5, 0.5]))
        .sum()
        .backward();
      assert.equal(x.grad!.toArray(), [3, 1.5]);

      const p = leaf([10, 20]);
      const optimizer = new SGD([p], { lr: 1 });
      p.onGradient(clampInPlace);
      p.mul(tensor([5, 0.5]))
        .sum()
        .backward();
      optimizer.step();
      assert.equal(p.toArray(), [9, 19.5]);
    });

    test('the gradient that the caller gives stays as it is', () => {
      const y = leaf([1]).mul(2);
      y.onGradient(clampInPlace);
      const seed = tensor([7]);
      y.backward(seed);
      assert.equal(seed.toArray(), [7]);
    });

    test('hooks run in order, each as often as it was added, until it is removed', () => {
      const x = leaf([1]);
      const seen: string[] = [];
      const say = (name: string) => () => void seen.push(name);
      const twice = say('twice');
      const removers = [x.onGradient(twice), x.onGradient(say('other')), x.onGradient(twice)];
      const called = () => {
        seen.length = 0;
        x.mul(2).backward();
        return seen.join(' ');
      };
      assert.is(called(), 'twice other twice');
      removers[0]!();
      removers[0]!();
      assert.is(called(), 'other twice');
      removers[2]!();
      assert.is(called(), 'other');
      removers[1]!();
      assert.is(called(), '');
      assert.is(x.gradHooks, null);
      x.onGradient(say('late'));
      for (const remove of removers) remove();
      assert.is(called(), 'late');
    });

    test('a hook that removes itself, or another, is called to the end of the pass', () => {
      const x = leaf([1]);
      let calls = 0;
      const remove = x.onGradient(() => {
        calls++;
        remove();
        removeOther();
      });
      const removeOther = x.onGradient(() => calls++);
      x.mul(2).backward();
      assert.is(calls, 2);
      x.mul(2).backward();
      assert.is(calls, 2);
    });

    test('what a hook computes is not recorded, and the gradient of a result ends with the pass', () => {
      const [x, w] = [leaf([1, 2]), leaf([3, 4])];
      const y = x.mul(2);
      const before = tapeLength();
      const got: Tensor[] = [];
      y.onGradient((g) => {
        assert.is(g.mul(w).requiresGrad, false);
        got.push(g, g.keep());
      });
      y.sum().backward(null, { retainGraph: true });
      assert.is(tapeLength(), before + 1);
      assert.not.ok(got[0]!.alive);
      refused(() => got[0]!.toArray(), LifetimeError, /scope ended/);
      assert.equal(got[1]!.toArray(), [1, 1]);
      got[1]!.dispose();
      y.backward(tensor([1, 5]));
      assert.equal(got[3]!.toArray(), [1, 5], 'in each pass over a graph that is retained');
      got[3]!.dispose();
    });

    test('a hook that throws, or is asynchronous, ends the pass, and the next pass is correct', () => {
      const x = leaf([2]);
      const wrong = x.mul(x);
      wrong.onGradient(() => {
        throw new Error('from the hook');
      });
      assert.throws(() => wrong.sum().backward(), 'from the hook');
      const late = x.mul(x);
      late.onGradient(async () => {});
      refused(() => late.sum().backward(), LangevinError, /^onGradient: expected a synchronous function/);
      x.zeroGrad();
      x.mul(x).sum().backward();
      assert.equal(x.grad!.toArray(), [4]);
    });

    test('constants and arguments that are not functions are refused', () => {
      const message = 'onGradient: expected a tensor that requires a gradient, got a constant [2]';
      refused(() => tensor([1, 2]).onGradient(() => {}), ValueError, message);
      refused(() => leaf([1]).onGradient(3 as never), ValueError, 'onGradient: expected a function, got 3');
    });
  })(test);

  test('a leaf of an outer scope keeps its hook; copies have none', () => {
    const x = leaf([1]);
    let calls = 0;
    const remove = x.onGradient(() => calls++);
    scope(() => x.mul(2).backward());
    assert.is(calls, 1);
    scope(() => x.detach().requireGrad().mul(2).backward());
    assert.is(calls, 1);
    remove();
    x.dispose();
  });
});
