/**
 * The range test of learning rates on quadratics. Gradient descent on L·x²/2 has x_{i+1} = (1 - rate_i·L)·x_i. So every
 * loss has a closed form, and the loss decreases exactly if the rate is below 2/L.
 */
import * as assert from 'uvu/assert';
import { backend } from '../src/backend/backend.ts';
import { DivergenceError, ValueError } from '../src/errors.ts';
import { Adam } from '../src/optim/adam.ts';
import { findLearningRate } from '../src/optim/lr-finder.ts';
import type { Optimizer } from '../src/optim/optimizer.ts';
import { RMSprop } from '../src/optim/rmsprop.ts';
import { SGD } from '../src/optim/sgd.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, onBackend, refused } from './helpers.ts';
import { suite } from './suite.ts';

const L = 8;
const quadratic = (x: Tensor) =>
  x
    .mul(x)
    .sum()
    .mul(L / 2);
const RANGE = { from: 1e-4, to: 4, steps: 60, smoothing: 0, stopAt: Infinity };

/** Rates of the range, and the losses of gradient descent from x = 1, before each step. */
function closedForm({ from, to, steps }: typeof RANGE): { rates: number[]; losses: number[] } {
  const rates = Array.from({ length: steps }, (_, i) => from * (to / from) ** (i / (steps - 1)));
  let x = 1;
  const losses = rates.map((rate) => {
    const loss = (L * x * x) / 2;
    x *= 1 - rate * L;
    return loss;
  });
  return { rates, losses };
}

suite('learning-rate finder', (test) => {
  test('losses on a quadratic are the closed form, and are smallest at the first rate above 2/L', () => {
    onBackend('reference', () => {
      const x = tensor([1], { requiresGrad: true });
      const curve = findLearningRate(new SGD([x]), () => quadratic(x), RANGE);
      const { rates, losses } = closedForm(RANGE);
      close(curve.rates, rates, (i) => 1e-12 * rates[i], 'rates');
      close(curve.losses, losses, (i) => 1e-9 * losses[i], 'losses');
      const least = curve.losses.indexOf(Math.min(...curve.losses));
      assert.ok(rates[least - 1] < 2 / L && rates[least] > 2 / L, `${rates[least]} is next to ${2 / L}`);
      const falls = losses.map((_, i) => (i > 0 && i < least ? losses[i + 1] - losses[i - 1] : 0));
      assert.is(curve.suggestion, curve.rates[falls.indexOf(Math.min(...falls))]);
      assert.ok(curve.suggestion! < 2 / L);
    });
  });

  test('the test ends at the first loss above stopAt times the smallest, and at the first that is not finite', () => {
    onBackend('reference', () => {
      const { losses } = closedForm(RANGE);
      const x = tensor([1], { requiresGrad: true });
      const curve = findLearningRate(new SGD([x]), () => quadratic(x), { ...RANGE, stopAt: 3 });
      const end = losses.findIndex((loss, i) => loss > 3 * Math.min(...losses.slice(0, i)));
      assert.is(curve.losses.length, end + 1);
      const nan = findLearningRate(new SGD([x]), (i) => quadratic(x).mul(i === 20 ? NaN : 1), RANGE);
      assert.is(nan.losses.length, 20);
      // A loss below 0 is also compared by its distance from the smallest.
      const below = findLearningRate(new SGD([x]), () => quadratic(x).sub(100), { ...RANGE, stopAt: 1.5 });
      const shifted = losses.map((loss) => loss - 100);
      const stop = shifted.findIndex((loss, i) => {
        const least = Math.min(...shifted.slice(0, i + 1));
        return loss > least + 0.5 * Math.abs(least);
      });
      assert.is(below.losses.length, stop + 1);
    });
  });

  test('smoothing is a mean with weights β^k', () => {
    onBackend('reference', () => {
      const x = tensor([1], { requiresGrad: true });
      const curve = findLearningRate(new SGD([x]), () => quadratic(x), { ...RANGE, smoothing: 0.7 });
      const { losses } = closedForm(RANGE);
      const means = losses.map((_, i) => {
        const weights = losses.slice(0, i + 1).map((_, j) => 0.7 ** (i - j));
        const total = weights.reduce((sum, w) => sum + w, 0);
        return weights.reduce((sum, w, j) => sum + w * losses[j], 0) / total;
      });
      close(curve.losses, means, (i) => 1e-9 * means[i], 'smoothed');
    });
  });

  test('parameters, optimiser and learning rate are restored, also if the loss throws', () => {
    const start = [0.5, -1.5, 2];
    const makers: ((p: Tensor[]) => Optimizer)[] = [
      (p) => new Adam(p, { lr: 0.1 }),
      (p) => new SGD(p, { lr: 0.01, momentum: 0.9 }),
      (p) => new RMSprop(p, { lr: 0.02, centered: true, momentum: 0.5, eps: 0.1 }),
    ];
    for (const make of makers) {
      const results = [false, true].map((search) => {
        const x = tensor(start, { requiresGrad: true });
        const optimizer = make([x]);
        const step = () => {
          optimizer.zeroGrad();
          quadratic(x).backward();
          optimizer.step();
        };
        step();
        step();
        if (search) {
          const { usedBytes } = backend().heap;
          findLearningRate(optimizer, () => quadratic(x));
          assert.is(backend().heap.usedBytes, usedBytes, 'the copies are freed');
          const broken = (i: number) => {
            if (i === 5) throw new Error('no more data');
            return quadratic(x);
          };
          assert.throws(() => findLearningRate(optimizer, broken), 'no more data');
          assert.is(x.grad, null);
        }
        step();
        return [...x.toTypedArray(), optimizer.lr, optimizer.state[0].steps];
      });
      assert.equal(results[1], results[0]);
    }
  });

  test('if no rate decreases the loss, there is no suggestion', () => {
    const x = tensor([1], { requiresGrad: true });
    const optimizer = new SGD([x]);
    const rising = (i: number) => x.mul(0).sum().add(i);
    assert.is(findLearningRate(optimizer, rising, { stopAt: Infinity }).suggestion, null);
    assert.is(findLearningRate(optimizer, () => x.mul(0).sum()).suggestion, null);
  });

  test('options out of range, and a loss that is not finite from the start, are refused in one line', () => {
    const x = tensor([1], { requiresGrad: true });
    const optimizer = new SGD([x]);
    const find = (options: object) => () => findLearningRate(optimizer, () => quadratic(x), options);
    const line = 'findLearningRate: expected ';
    refused(find({ from: 0 }), ValueError, `${line}0 < from < to < Infinity, got 0 and 10`);
    refused(find({ from: 1, to: 0.5 }), ValueError, `${line}0 < from < to < Infinity, got 1 and 0.5`);
    refused(find({ steps: 2 }), ValueError, `${line}a whole number of steps >= 3, got 2`);
    refused(find({ smoothing: 1 }), ValueError, `${line}a smoothing in [0, 1), got 1`);
    refused(find({ stopAt: 1 }), ValueError, `${line}stopAt > 1, got 1`);
    refused(
      () => findLearningRate(optimizer, () => quadratic(x).mul(NaN)),
      DivergenceError,
      `${line}a finite loss before the first step, got NaN or Infinity`,
    );
    assert.is(x.item(), 1);
  });
});
