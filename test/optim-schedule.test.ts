/** Compares learning-rate schedules with the rates of PyTorch 1.13. */
import * as assert from 'uvu/assert';
import { ValueError } from '../src/errors.ts';
import {
  constantLr,
  cosineLr,
  exponentialLr,
  type LrSchedule,
  linearLr,
  polynomialLr,
  sequenceLr,
  stepLr,
  warmupLr,
} from '../src/optim/lr-schedule.ts';
import { SGD } from '../src/optim/sgd.ts';
import { tensor } from '../src/tensor/create.ts';
import { close, refused } from './helpers.ts';
import { giveGradient } from './helpers-optim.ts';
import { suite } from './suite.ts';

suite('learning-rate schedules', (test) => {
  /** [what, schedule, the rates of torch.optim.lr_scheduler] */
  const torch: [string, LrSchedule, number[]][] = [
    ['linear', linearLr(0.025, 0.075, { steps: 4 }), [0.025, 0.0375, 0.05, 0.0625, 0.075, 0.075, 0.075]],
    ['step', stepLr(0.1, { every: 3, gamma: 0.5 }), [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]],
    ['exponential', exponentialLr(0.1, { gamma: 0.9 }), [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049]],
    [
      'cosine',
      cosineLr(0.1, { steps: 8, end: 0.01 }),
      [
        0.1, 0.0965745789630079, 0.08681980515339463, 0.07222075445642905, 0.055, 0.03777924554357096,
        0.023180194846605363, 0.013425421036992097, 0.01,
      ],
    ],
    ['polynomial', polynomialLr(0.1, { steps: 5, power: 2 }), [0.1, 0.064, 0.036, 0.016, 0.004, 0, 0]],
    [
      'warm-up and cosine',
      warmupLr(3, cosineLr(0.1, { steps: 5 }), { from: 0.1 }),
      [
        0.01, 0.04, 0.07, 0.1, 0.09045084971874738, 0.06545084971874737, 0.03454915028125263,
        0.009549150281252633, 0,
      ],
    ],
    ['constant', constantLr(0.1), [0.1, 0.1, 0.1]],
  ];
  for (const [what, schedule, rates] of torch) {
    test(`the ${what} schedule gives PyTorch's rates, for steps in any order`, () => {
      for (let t = rates.length - 1; t >= 0; t--)
        close([schedule(t)], [rates[t]], 1e-16 + 1e-14 * rates[t], `${t}`);
    });
  }

  test('a thousand factors are one power: rounding errors do not accumulate', () => {
    close([exponentialLr(0.1, { gamma: 0.999 })(1000)], [0.03676954247709637], 1e-16, '0.1·0.999^1000');
  });

  test('the ends are exact and stay constant: no restart', () => {
    for (const t of [100, 101, 150, 200, 1e6]) {
      assert.is(cosineLr(0.3, { steps: 100, end: 0.1 })(t), 0.1);
      assert.is(polynomialLr(0.3, { steps: 100, end: 0.1, power: 0.5 })(t), 0.1);
      assert.is(linearLr(0.3, 0.1, { steps: 100 })(t), 0.1);
      assert.is(warmupLr(100, constantLr(0.3))(t), 0.3);
    }
    assert.is(warmupLr(100, constantLr(0.3))(0), 0);
    assert.is(polynomialLr(0.3, { steps: 100 })(0), 0.3);
    assert.is(cosineLr(0.3, { steps: 100, end: 0.1 })(0), 0.3);
  });

  test('a sequence starts each schedule at its own beginning', () => {
    const schedule = sequenceLr(
      [constantLr(1), linearLr(2, 4, { steps: 2 }), exponentialLr(8, { gamma: 0.5 })],
      [2, 5],
    );
    assert.equal([0, 1, 2, 3, 4, 5, 6, 7].map(schedule), [1, 1, 2, 3, 4, 8, 4, 2]);
  });

  test('a schedule drives an optimiser', () => {
    const p = tensor([0], { requiresGrad: true });
    const optimizer = new SGD([p]);
    const schedule = stepLr(1, { every: 2, gamma: 0.25 });
    for (let t = 0; t < 4; t++) {
      optimizer.lr = schedule(t);
      optimizer.zeroGrad();
      giveGradient(p, [1]);
      optimizer.step();
    }
    assert.is(p.item(), -2.5); // 1 + 1 + 1/4 + 1/4
  });

  test('bad schedules and bad steps are refused in a line that names them', () => {
    const table: [() => unknown, string][] = [
      [() => constantLr(-1), 'constantLr: expected lr to be a finite number >= 0, got -1'],
      [() => constantLr(Infinity), 'constantLr: expected lr to be a finite number >= 0, got Infinity'],
      [() => cosineLr(1, { steps: 0 }), 'cosineLr: expected steps to be a whole number >= 1, got 0'],
      [() => cosineLr(1, { steps: 2.5 }), 'cosineLr: expected steps to be a whole number >= 1, got 2.5'],
      [() => cosineLr(NaN, { steps: 2 }), 'cosineLr: expected lr to be a finite number >= 0, got NaN'],
      [() => stepLr(1, { every: -3 }), 'stepLr: expected every to be a whole number >= 1, got -3'],
      [
        () => exponentialLr(1, { gamma: -0.5 }),
        'exponentialLr: expected gamma to be a finite number >= 0, got -0.5',
      ],
      [() => linearLr(0, NaN, { steps: 1 }), 'linearLr: expected to to be a finite number >= 0, got NaN'],
      [
        () => polynomialLr(1, { steps: 3, power: -1 }),
        'polynomialLr: expected power to be a finite number >= 0, got -1',
      ],
      [
        () => warmupLr(5, constantLr(1), { from: 2 }),
        'warmupLr: expected from to be a number in [0, 1], got 2',
      ],
      [() => warmupLr(0, constantLr(1)), 'warmupLr: expected steps to be a whole number >= 1, got 0'],
      [
        () => sequenceLr([constantLr(1)], [5]),
        'sequenceLr: expected one milestone less than schedules, got 1 and 1',
      ],
      [
        () => sequenceLr([constantLr(1), constantLr(1), constantLr(1)], [5, 5]),
        'sequenceLr: expected ascending milestones, got 5, 5',
      ],
      [() => cosineLr(1, { steps: 2 })(-1), 'cosineLr: expected the step to be a finite number >= 0, got -1'],
      [() => constantLr(1)(NaN), 'constantLr: expected the step to be a finite number >= 0, got NaN'],
    ];
    for (const [action, message] of table) refused(action, ValueError, message);
  });
});
