/**
 * Brownian paths: the order of calls does not change an increment, increments and space-time Lévy areas have their
 * exact joint law, and the formulas of the bridge agree with published ones.
 */
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { backend } from '../src/backend/backend.ts';
import { ValueError } from '../src/errors.ts';
import { Rng } from '../src/random/rng.ts';
import { bridgeAt, combine, halve, type Piece } from '../src/sde/brownian-bridge.ts';
import { BrownianPath } from '../src/sde/brownian-path.ts';
import { FreshNoise, noiseOrigin } from '../src/sde/increments.ts';
import { tensor } from '../src/tensor/create.ts';
import { onBackend } from './helpers.ts';
import { correlationScore, ksTest, normalCdf } from './helpers-statistics.ts';
import { suite } from './suite.ts';

const isA = (Class: new (message: string) => Error) => (error: unknown) => error instanceof Class;

const path = (n: number, options: { area?: boolean; depth?: number; t0?: number } = {}) =>
  new BrownianPath(new Rng('path'), [n], { t1: 2, ...options });

const of = (p: BrownianPath, s: number, t: number) =>
  scope(() => {
    const { dW, area } = p.increment(s, t);
    return { w: Float64Array.from(dW.toTypedArray()), h: Float64Array.from(area?.toTypedArray() ?? []) };
  });

/** Times that are not on cell boundaries, at various distances. */
const TIMES = [0, 0.1, 0.3333, 0.50001, 0.9, 1.1, 1.101, 1.9, 2];

suite('Brownian paths', (test) => {
  test('an interval has the same increment for any earlier calls', () => {
    for (const area of [false, true]) {
      const [one, two] = [path(5, { area }), path(5, { area })];
      const pairs = TIMES.flatMap((s, i) => TIMES.slice(i + 1).map((t) => [s, t] as const));
      const forward = pairs.map(([s, t]) => of(one, s, t));
      const backward = pairs.toReversed().map(([s, t]) => of(two, s, t));
      assert.equal(forward, backward.toReversed());
    }
  });

  test('increments add up to 1e-6 over any division of an interval', () => {
    for (const area of [false, true]) {
      const p = path(64, { area });
      for (const [s, u, t] of [
        [0, 0.1, 2],
        [0.1, 0.3333, 0.9],
        [1.1, 1.101, 1.9],
        [0.5, 1, 1.5],
      ] as const) {
        const [whole, first, second] = [of(p, s, t), of(p, s, u), of(p, u, t)];
        whole.w.forEach((w, i) => {
          assert.ok(Math.abs(first.w[i]! + second.w[i]! - w) < 1e-6);
        });
      }
    }
  });

  test('areas of parts combine to the area of the whole', () => {
    const p = path(64, { area: true });
    for (const [s, u, t] of [
      [0, 0.1, 2],
      [0.1, 0.3333, 0.9],
      [0.5, 1, 1.5],
    ] as const) {
      scope(() => {
        const piece = (a: number, b: number): Piece => {
          const { dW, area } = p.increment(a, b);
          return { w: dW, h: area!, span: b - a };
        };
        const parts = combine(piece(s, u), piece(u, t)).h!.toTypedArray();
        const whole = piece(s, t).h!.toTypedArray();
        whole.forEach((h, i) => {
          assert.ok(Math.abs(parts[i]! - h) < 1e-6);
        });
      });
    }
  });

  test('the variance of W(t) is t, at cell boundaries and between them', () => {
    const n = 100_000;
    const p = path(n, { depth: 5 });
    for (const t of [0.01, 0.0625, 0.3333, 1, 1.7, 2]) {
      const { w } = of(p, 0, t);
      const variance = w.reduce((sum, x) => sum + x * x, 0) / n;
      // The standard error of a variance is t·sqrt(2/n).
      assert.ok(Math.abs(variance - t) < 4 * t * Math.sqrt(2 / n), `${t}: ${variance}`);
    }
  });

  test('increments and areas are normal with variances h and h/12, and do not correlate', () => {
    const n = 20_000;
    const p = path(n, { area: true, depth: 6 });
    for (const [s, t] of [
      [0, 2],
      [0, 0.5],
      [0.3, 1.234],
      [0.31, 0.32],
    ] as const) {
      const { w, h } = of(p, s, t);
      const z = w.map((x) => x / Math.sqrt(t - s));
      const a = h.map((x) => x / Math.sqrt((t - s) / 12));
      assert.ok(ksTest(z, normalCdf) > 1e-3, `W over ${s}, ${t}`);
      assert.ok(ksTest(a, normalCdf) > 1e-3, `H over ${s}, ${t}`);
      assert.ok(Math.abs(correlationScore(z, a)) < 4, `W and H over ${s}, ${t}`);
    }
    // Adjacent intervals whose ends are inside cells.
    const [first, second] = [of(p, 0.1, 0.777), of(p, 0.777, 1.3)];
    for (const [a, b] of [
      [first.w, second.w],
      [first.h, second.h],
      [first.w, second.h],
      [first.h, second.w],
    ] as const) {
      const unit = (x: Float64Array) => {
        const deviation = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / n);
        return x.map((v) => v / deviation);
      };
      assert.ok(Math.abs(correlationScore(unit(a), unit(b))) < 4);
    }
  });

  test('the bridge at the middle is the published one, and its halves make the whole', () => {
    onBackend('reference', () => {
      const one = (x: number) => tensor([x]);
      const whole: Piece = { w: one(0.7), h: one(-0.2), span: 3 };
      const [z, n] = [one(1.1), one(-0.4)] as const;
      const [left, right] = halve(whole, [z, n]);
      const [kick, apart] = [1.1 * Math.sqrt(3 / 16), -0.4 * Math.sqrt(3 / 12)];
      assert.ok(Math.abs(left.w.item() - (0.35 - 0.3 + kick)) < 1e-12);
      assert.ok(Math.abs(left.h!.item() - (-0.05 - kick / 2 + apart / 2)) < 1e-12);
      assert.ok(Math.abs(right.h!.item() - (-0.05 - kick / 2 - apart / 2)) < 1e-12);
      const again = combine(left, right);
      assert.ok(Math.abs(again.w.item() - 0.7) < 1e-12);
      assert.ok(Math.abs(again.h!.item() + 0.2) < 1e-12);
      // The general formula at r = 1/2 has the same conditional mean: without noise both agree.
      const zero = [one(0), one(0)] as const;
      const point = bridgeAt(whole, zero, 0, 0.5);
      const half = halve(whole, zero)[0];
      assert.ok(Math.abs(point.w.item() - half.w.item()) < 1e-12);
      assert.ok(Math.abs(point.h!.item() - half.h!.item()) < 1e-12);
    });
  });

  test('fresh increments and areas are normal with variances h and h/12, and do not correlate', () => {
    const h = 0.3;
    const [z, a] = scope(() => {
      const { dW, area } = new FreshNoise(noiseOrigin(new Rng('fresh')), [20_000], true).increment(1, 1 + h);
      return [dW.div(Math.sqrt(h)), area!.div(Math.sqrt(h / 12))].map((x) =>
        Float64Array.from(x.toTypedArray()),
      );
    });
    assert.ok(ksTest(z, normalCdf) > 1e-3, 'increments');
    assert.ok(ksTest(a, normalCdf) > 1e-3, 'areas');
    assert.ok(Math.abs(correlationScore(z, a)) < 4, 'increments and areas');
  });

  test('fresh noise does not depend on the blocks of paths', () => {
    scope(() => {
      const origin = noiseOrigin(new Rng(7));
      const [all, part] = [new FreshNoise(origin, [100], true), new FreshNoise(origin, [32], true, 100, 48)];
      for (let k = 0; k < 3; k++) {
        const [whole, block] = [all.increment(0, 0.5), part.increment(0, 0.5)];
        assert.equal(block.dW.toArray(), whole.dW.slice([48], [80]).toArray());
        assert.equal(block.area!.toArray(), whole.area!.slice([48], [80]).toArray());
      }
    });
  });

  test('fresh noise that is drawn for several steps at once is the same, and its memory is freed', () => {
    const origin = noiseOrigin(new Rng(7));
    // Sizes: not a multiple of 16; fewer and more steps than one draw; a step larger than one draw.
    for (const [n, steps] of [
      [1003, 5],
      [20_001, 8],
      [65_600, 3],
    ] as const) {
      const { heap } = backend();
      const before = heap.blocks;
      const ahead = new FreshNoise(origin, [n], true, n, 0, steps);
      const single = new FreshNoise(origin, [n], true);
      // Two more steps than stated.
      for (let k = 0; k < steps + 2; k++) {
        scope(() => {
          const [one, other] = [ahead.increment(0, 0.1 * (k + 1)), single.increment(0, 0.1 * (k + 1))];
          assert.equal(one.dW.toTypedArray(), other.dW.toTypedArray(), `step ${k} of ${steps}`);
          assert.equal(one.area!.toTypedArray(), other.area!.toTypedArray(), `area of ${k} of ${steps}`);
        });
        if (n < 65_536 / 2 && k === 0) assert.is(heap.blocks, before + 2, 'noise is drawn ahead');
      }
      ahead.dispose();
      assert.is(heap.blocks, before);
    }
  });

  test('times outside of the path, in the wrong order or not finite are refused', () => {
    const p = path(3);
    assert.throws(() => p.increment(-0.1, 1), /expected times 0 <= s <= t <= 2, got s = -0.1/);
    assert.throws(() => p.increment(1, 0.5), isA(ValueError));
    assert.throws(() => p.increment(0, Number.NaN), isA(ValueError));
    assert.throws(() => new BrownianPath(new Rng(0), [1], { t1: 0 }), /expected finite times t0 < t1/);
    assert.throws(
      () => new BrownianPath(new Rng(0), [1], { t1: 1, depth: 40 }),
      /expected a depth of 1 to 32/,
    );
  });
});
