/** The moving average of parameters, compared with its definition on both backends. */
import * as assert from 'uvu/assert';
import { backend } from '../src/backend/backend.ts';
import { LangevinError, ShapeError, ValueError } from '../src/errors.ts';
import { Linear } from '../src/nn/linear.ts';
import type { Module } from '../src/nn/module.ts';
import { Sequential } from '../src/nn/sequential.ts';
import { Ema } from '../src/optim/ema.ts';
import { SGD } from '../src/optim/sgd.ts';
import { Rng } from '../src/random/rng.ts';
import { close, refused } from './helpers.ts';
import { onEach } from './helpers-optim.ts';
import { suite } from './suite.ts';

suite('moving average', (test) => {
  const small = (seed: number): Module =>
    new Sequential(new Linear(3, 4, { rng: new Rng(seed) }), new Linear(4, 2, { rng: new Rng(seed + 1) }));
  const stateOf = (m: Module) => [...m.stateDict().values()].flatMap((p) => Array.from(p.toTypedArray()));
  const averagesOf = (ema: Ema) => [...ema.stateDict().values()].flatMap((p) => Array.from(p.toTypedArray()));
  /** Adds 0.1, 0.2, 0.3, ... to the elements of the parameters. */
  const disturb = (m: Module, by: number) => {
    for (const p of m.parameters()) p.set(Array.from(p.toTypedArray(), (x, i) => x + (by * (i + 1)) / 10));
  };

  for (const [what, options, decayAt] of [
    ['with warm-up', { decay: 0.35 }, (t: number) => Math.min(0.35, (1 + t) / (10 + t))],
    ['without warm-up', { decay: 0.9, warmup: false }, () => 0.9],
  ] as const) {
    test(`the average ${what} follows its definition`, () => {
      onEach((tolerance) => {
        const m = small(1);
        const ema = new Ema(m, options);
        let expected = stateOf(m);
        assert.equal(averagesOf(ema), expected);
        for (let t = 0; t < 8; t++) {
          disturb(m, Math.sin(t + 1));
          ema.update();
          const now = stateOf(m);
          expected = expected.map((a, i) => decayAt(t) * a + (1 - decayAt(t)) * now[i]);
          close(averagesOf(ema), expected, 2 * tolerance, `update ${t}`);
        }
        assert.is(ema.updates, 8);
      });
    });
  }

  test('parameters in the block of an optimiser are averaged in one pass; others give the same numbers', () => {
    const [apart, together] = [small(1), small(1)];
    const averages = [apart, together].map((m) => new Ema(m));
    new SGD(together.parameters());
    const { kernels } = backend();
    const original = kernels.sgd;
    const passes: number[] = [];
    kernels.sgd = (record) => {
      passes.push(record.n);
      original.call(kernels, record);
    };
    disturb(apart, 1);
    averages[0].update();
    passes.length = 0;
    disturb(together, 1);
    averages[1].update();
    kernels.sgd = original;
    assert.equal(passes, [16 + 16 + 16 + 2]);
    assert.equal(averagesOf(averages[0]), averagesOf(averages[1]));
  });

  test('the average of constant parameters equals them to the last bit', () => {
    const m = small(3);
    const ema = new Ema(m, { decay: 0.9999 });
    for (let t = 0; t < 1000; t++) ema.update();
    assert.equal(averagesOf(ema), stateOf(m));
  });

  test('swapping in and out is exact, and swapping twice in the same direction is refused', () => {
    const m = small(1);
    const ema = new Ema(m, { decay: 0.5, warmup: false });
    disturb(m, 1);
    ema.update();
    const [parameters, averages] = [stateOf(m), averagesOf(ema)];
    assert.not.equal(parameters, averages);
    ema.swapIn();
    assert.equal(stateOf(m), averages);
    refused(() => ema.swapIn(), LangevinError, 'Ema: expected swapOut() before a second swapIn()');
    refused(() => ema.update(), LangevinError, /expected swapOut\(\) before update\(\)/);
    refused(() => ema.stateDict(), LangevinError, /expected swapOut\(\) first/);
    ema.swapOut();
    assert.equal(stateOf(m), parameters);
    assert.equal(averagesOf(ema), averages);
    refused(() => ema.swapOut(), LangevinError, 'Ema: expected swapIn() before swapOut()');
  });

  test('copyTo copies the averages to another module, and refuses one with other parameters', () => {
    const [m, other] = [small(1), small(9)];
    const ema = new Ema(m, { decay: 0.5 });
    disturb(m, 2);
    ema.update();
    ema.copyTo(other);
    assert.equal(stateOf(other), averagesOf(ema));
    assert.not.equal(stateOf(m), averagesOf(ema));
    const wrong = new Sequential(new Linear(3, 4), new Linear(4, 3));
    const before = stateOf(wrong);
    refused(() => ema.copyTo(wrong), ShapeError, /1\.weight/);
    assert.equal(stateOf(wrong), before, 'nothing changed');
  });

  test('a saved average continues as if it had not stopped', () => {
    const m = small(1);
    const whole = new Ema(m, { decay: 0.6 });
    const half = new Ema(m, { decay: 0.6 });
    for (let t = 0; t < 3; t++) {
      disturb(m, t);
      whole.update();
      half.update();
    }
    assert.equal([...half.stateDict().keys()], ['0.weight', '0.bias', '1.weight', '1.bias']);
    const saved = new Map([...half.stateDict()].map(([name, p]) => [name, p.keep()]));
    const restored = new Ema(m, { decay: 0.6 });
    restored.loadStateDict(saved, half.updates);
    disturb(m, 5);
    whole.update();
    restored.update();
    assert.equal(averagesOf(restored), averagesOf(whole));
    refused(() => restored.loadStateDict(saved, -1), ValueError, /whole number of updates >= 0, got -1/);
    saved.delete('1.bias');
    refused(() => restored.loadStateDict(saved, 1), ValueError, /expected a parameter "1\.bias", got none/);
    assert.equal(averagesOf(restored), averagesOf(whole), 'nothing changed');
  });

  test('a decay outside [0, 1) and a module without parameters are refused', () => {
    for (const decay of [1, -0.1, NaN]) {
      refused(
        () => new Ema(small(1), { decay }),
        ValueError,
        `Ema: expected a decay in [0, 1), got ${decay}`,
      );
    }
    refused(() => new Ema(new Sequential()), ValueError, /expected a module with parameters/);
  });
});
