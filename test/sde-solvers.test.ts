/**
 * Solvers: single steps compared with formulas, the order conditions of the published tableau, refused equations,
 * gradients through a solve, both backends, adaptive steps, and blocks of paths.
 */
import * as assert from 'uvu/assert';
import { noGrad, scope } from '../src/autograd/tape.ts';
import { backend, setThreads } from '../src/backend/backend.ts';
import { DivergenceError, ValueError } from '../src/errors.ts';
import { Rng } from '../src/random/rng.ts';
import { solveAdaptive } from '../src/sde/adaptive.ts';
import { BrownianPath } from '../src/sde/brownian-path.ts';
import { expressionSde } from '../src/sde/expression.ts';
import { doubleWell, gbm, heston, ornsteinUhlenbeck } from '../src/sde/processes/index.ts';
import { type SDE, type SdeSolver, toIto, toStratonovich } from '../src/sde/sde.ts';
import { advance, integrate, solve, startAt } from '../src/sde/solve.ts';
import * as solvers from '../src/sde/solvers/index.ts';
import { SRI1 } from '../src/sde/solvers/sri1.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { onBackend } from './helpers.ts';
import { suite } from './suite.ts';

const isA = (Class: new (message: string) => Error) => (error: unknown) => error instanceof Class;

const { SOLVERS, solverNamed } = solvers;

/** a = 1 - x² + t, b = (1 + x²/4)(1 + t): both depend on x and t. */
const a = (x: number, t: number) => 1 - x * x + t;
const b = (x: number, t: number) => (1 + x * x * 0.25) * (1 + t);
const sde: SDE = {
  drift: (x, t) =>
    x
      .mul(x)
      .neg()
      .add(1 + t),
  diffusion: (x, t) =>
    x
      .mul(x)
      .mul(0.25)
      .add(1)
      .mul(1 + t),
  correction: (x, t) => {
    const value = x
      .mul(x)
      .mul(0.25)
      .add(1)
      .mul(1 + t);
    return value.mul(x.mul(0.5 * (1 + t)));
  },
};
const [x, t, h, w, area] = [0.7, 0.2, 0.1, 0.35, -0.06];
const db = (y: number, s: number) => 0.5 * y * (1 + s);
const root = Math.sqrt(h);

/** Each solver's step from x over [t, t + h] with dW = w, written out. */
const BY_HAND: Record<string, () => number> = {
  'euler-maruyama': () => x + a(x, t) * h + b(x, t) * w,
  'tamed-euler': () => x + (a(x, t) * h) / (1 + Math.abs(a(x, t)) * h) + b(x, t) * w,
  milstein: () => x + a(x, t) * h + b(x, t) * w + 0.5 * b(x, t) * db(x, t) * (w * w - h),
  'milstein-stratonovich': () => x + a(x, t) * h + b(x, t) * w + 0.5 * b(x, t) * db(x, t) * w * w,
  'milstein-free': () => {
    const y = x + a(x, t) * h + b(x, t) * root;
    return x + a(x, t) * h + b(x, t) * w + ((b(y, t) - b(x, t)) * (w * w - h)) / (2 * root);
  },
  heun: () => {
    const y = x + a(x, t) * h + b(x, t) * w;
    return x + 0.5 * (a(x, t) + a(y, t + h)) * h + 0.5 * (b(x, t) + b(y, t + h)) * w;
  },
  'euler-heun': () => x + a(x, t) * h + 0.5 * (b(x, t) + b(x + b(x, t) * w, t + h)) * w,
  midpoint: () => {
    const y = x + 0.5 * (a(x, t) * h + b(x, t) * w);
    return x + a(y, t + h / 2) * h + b(y, t + h / 2) * w;
  },
  'platen-weak2': () => {
    const mean = x + a(x, t) * h;
    const [up, down] = [b(mean + b(x, t) * root, t + h), b(mean - b(x, t) * root, t + h)];
    return (
      x +
      0.5 * (a(mean + b(x, t) * w, t + h) + a(x, t)) * h +
      0.25 * (up + down + 2 * b(x, t)) * w +
      (0.25 * (up - down) * (w * w - h)) / root
    );
  },
  'ode-euler': () => x + a(x, t) * h,
  'ode-heun': () => x + (h / 2) * (a(x, t) + a(x + h * a(x, t), t + h)),
  sri1: () => {
    const [i11, i111, i10] = [(w * w - h) / 2, (w ** 3 - 3 * h * w) / 6, h * (area + w / 2)];
    const h02 = x + 0.75 * a(x, t) * h + (1.5 * b(x, t) * i10) / h;
    const a2 = a(h02, t + 0.75 * h);
    const b1 = b(x, t);
    const b2 = b(x + 0.25 * a(x, t) * h + 0.5 * b1 * root, t + 0.25 * h);
    const b3 = b(x + a(x, t) * h - b1 * root, t + h);
    const b4 = b(x + 0.25 * a(x, t) * h + (-5 * b1 + 3 * b2 + 0.5 * b3) * root, t + 0.25 * h);
    return (
      x +
      (a(x, t) / 3 + (2 * a2) / 3) * h +
      (-w - i11 / root + (2 * i10) / h - (2 * i111) / h) * b1 +
      ((4 / 3) * w + ((4 / 3) * i11) / root - ((4 / 3) * i10) / h + ((5 / 3) * i111) / h) * b2 +
      ((2 / 3) * w - ((1 / 3) * i11) / root - ((2 / 3) * i10) / h - ((2 / 3) * i111) / h) * b3 +
      (i111 / h) * b4
    );
  },
};

const one = (value: number) => tensor([value]);
const step = (solver: SdeSolver, equation: SDE) =>
  solver.step(equation, one(x), t, h, one(w), one(area)).item();

suite('solvers', (test) => {
  for (const backend of ['wasm', 'reference'] as const) {
    test(`a step follows its formula for given increments, on ${backend}`, () => {
      onBackend(backend, () => {
        for (const [name, byHand] of Object.entries(BY_HAND)) {
          const value = step(solverNamed(name), sde);
          const bound = backend === 'wasm' ? 2e-6 : 1e-13;
          assert.ok(Math.abs(value - byHand()) < bound, `${name}: ${value}, ${byHand()}`);
        }
        const additive: SDE = { ...sde, noise: 'additive', diffusion: (_y, s) => tensor(2 + s) };
        const j = area + w / 2;
        const stage = x + 0.75 * a(x, t) * h + 1.5 * (2 + t + h) * j;
        const byHand =
          x + (a(x, t) / 3 + (2 * a(stage, t + 0.75 * h)) / 3) * h + (2 + t + h) * (w - j) + (2 + t) * j;
        assert.ok(Math.abs(step(solvers.sra1, additive) - byHand) < 2e-6, 'sra1');
      });
    });
  }

  test("SRI1's coefficients fulfil the order conditions of strong order 3/2", () => {
    const dot = (u: readonly number[], v: readonly number[]) => u.reduce((sum, c, i) => sum + c * v[i]!, 0);
    const rows = (m: readonly (readonly number[])[]) => m.map((r) => r.reduce((sum, c) => sum + c, 0));
    const times = (m: readonly (readonly number[])[], v: readonly number[]) =>
      m.map((r) => r.reduce((sum, c, j) => sum + c * v[j]!, 0));
    const { alpha, beta1, beta2, beta3, beta4, A0, A1, B0, B1, c0, c1 } = SRI1;
    const e = [1, 1, 1, 1];
    const b1 = rows(B1);
    const squared = b1.map((v) => v * v);
    const b11 = times(B1, b1);
    const conditions: [number, number][] = [
      [dot(alpha, e), 1],
      [dot(beta1, e), 1],
      [dot(beta2, e), 0],
      [dot(beta3, e), 0],
      [dot(beta4, e), 0],
      [dot(beta1, b1), 0],
      [dot(beta2, b1), 1],
      [dot(beta3, b1), 0],
      [dot(beta4, b1), 0],
      [dot(alpha, rows(A0)), 1 / 2],
      [dot(alpha, rows(B0)), 1],
      [
        dot(
          alpha,
          rows(B0).map((v) => v * v),
        ),
        3 / 2,
      ],
      [dot(beta1, rows(A1)), 1],
      [dot(beta2, rows(A1)), 0],
      [dot(beta3, rows(A1)), -1],
      [dot(beta4, rows(A1)), 0],
      [dot(beta1, squared), 1],
      [dot(beta2, squared), 0],
      [dot(beta3, squared), -1],
      [dot(beta4, squared), 2],
      [dot(beta1, b11), 0],
      [dot(beta2, b11), 0],
      [dot(beta3, b11), 0],
      [dot(beta4, b11), 1],
    ];
    for (const [i, [value, wanted]] of conditions.entries()) {
      assert.ok(Math.abs(value - wanted) < 1e-14, `condition ${i}: ${value}, ${wanted}`);
    }
    // Stage times are the row sums of the drift's coefficients.
    assert.equal(rows(A0), [...c0]);
    assert.equal(rows(A1), [...c1]);
  });

  test('reversible Heun steps back to its previous state', () => {
    onBackend('reference', () => {
      const { begin, read, step: forward, reverse } = solvers.reversibleHeun;
      const rng = new Rng(1);
      const start = begin!(one(x));
      const increments = Array.from({ length: 50 }, () => rng.normal([1]).mul(0.1));
      let state = start;
      increments.forEach((dW, k) => {
        state = forward(sde, state, k * 0.01, 0.01, dW);
      });
      assert.ok(Math.abs(read!(state).item() - x) > 0.1);
      increments.toReversed().forEach((dW, i) => {
        state = reverse(sde, state, (49 - i) * 0.01, 0.01, dW);
      });
      assert.ok(Math.abs(read!(state).item() - x) < 1e-12);
    });
  });

  test('a solver refuses a noise type that it does not support, and the other calculus, with their names', () => {
    const refusals: [SdeSolver, SDE, RegExp][] = [
      [
        solvers.milstein,
        heston(),
        /^solver milstein: expected additive, diagonal, scalar noise, got general noise of heston/,
      ],
      [solvers.sra1, gbm(), /^solver sra1: expected additive noise, got diagonal noise of gbm/],
      [solvers.sri1, heston(), /general noise of heston/],
      [
        solvers.heun,
        gbm(),
        /expected an equation of Stratonovich, got gbm of Itô: convert it with toStratonovich/,
      ],
      [solvers.eulerMaruyama, toStratonovich(gbm()), /expected an equation of Itô/],
      [
        solvers.exact,
        doubleWell(),
        /^solver exact: expected a process with a known transition, got double-well/,
      ],
      [solvers.milstein, { ...sde, correction: undefined } as never, /milstein-free needs no derivative/],
    ];
    for (const [solver, equation, message] of refusals) {
      const start = startAt(equation.motions ? [1, 1] : 1, 4);
      assert.throws(() => solve(equation, solver, start, { t1: 1, steps: 2 }), message);
    }
    assert.throws(() => solverNamed('miltsein'), /Did you mean "milstein"/);
  });

  test('an equation has the same solution in both calculi', () => {
    const path = () => new BrownianPath(new Rng(9), [20], { t1: 1, area: true });
    const end = (equation: SDE, solver: SdeSolver) => {
      const { states } = solve(equation, solver, startAt(0.5, 20), {
        t1: 1,
        steps: 1024,
        path: path(),
        keep: 'last',
      });
      return states.toTypedArray();
    };
    const ito = end(gbm({ sigma: 0.8 }), solvers.milstein);
    const stratonovich = end(toStratonovich(gbm({ sigma: 0.8 })), solvers.heun);
    const back = end(toIto(toStratonovich(gbm({ sigma: 0.8 }))), solvers.milstein);
    ito.forEach((value, i) => {
      assert.ok(Math.abs(value - stratonovich[i]!) < 5e-3 * value);
      assert.ok(Math.abs(value - back[i]!) < 1e-5 * value);
    });
    assert.throws(
      () => toStratonovich({ ...sde, correction: undefined } as never),
      /expected a `correction`/,
    );
  });

  test('gradients flow through every solver to the start and to a parameter', () => {
    onBackend('reference', () => {
      const grid = { t1: 0.5, steps: 8 };
      for (const solver of SOLVERS) {
        if (solver.name === 'exact') continue;
        const noise = solver.orders.diagonal ? 'diagonal' : 'additive';
        const path = new BrownianPath(new Rng(3), [2], { t1: 0.5, area: true });
        const loss = (start: Tensor, theta: Tensor): Tensor => {
          const equation: SDE = {
            noise,
            interpretation: solver.interpretation,
            drift: (y) => y.tanh().mul(theta).neg(),
            diffusion: (y) => (noise === 'additive' ? tensor(0.4) : y.mul(y).mul(0.1).add(0.3).mul(theta)),
            correction: (y) => y.mul(y).mul(0.1).add(0.3).mul(theta).mul(y.mul(0.2).mul(theta)),
          };
          let end = start;
          for (const { x: state } of integrate(equation, solver, start, { ...grid, path })) end = state;
          return end.mul(end).sum();
        };
        const [start, theta] = [
          tensor([0.4, -0.9], { requiresGrad: true }),
          tensor(0.7, { requiresGrad: true }),
        ];
        loss(start, theta).backward();
        const at = (p: number, q: number) => noGrad(() => loss(tensor([p, -0.9]), tensor(q)).item());
        const eps = 1e-5;
        const numeric = [
          (at(0.4 + eps, 0.7) - at(0.4 - eps, 0.7)) / (2 * eps),
          (at(0.4, 0.7 + eps) - at(0.4, 0.7 - eps)) / (2 * eps),
        ];
        assert.ok(Math.abs(start.grad!.toTypedArray()[0]! - numeric[0]!) < 1e-7, `${solver.name}, start`);
        assert.ok(Math.abs(theta.grad!.item() - numeric[1]!) < 1e-7, `${solver.name}, parameter`);
      }
    });
  });

  test('a batch has the same paths as a whole, in blocks, and with or without the fused kernel', () => {
    const process = ornsteinUhlenbeck();
    const options = { t1: 1, steps: 20, noise: 'blocks' };
    const many = solve(process, solvers.eulerMaruyama, startAt(3, 20_000), { ...options, fused: false });
    const fused = solve(process, solvers.eulerMaruyama, startAt(3, 20_000), options);
    const [p, q] = [many.states.toTypedArray(), fused.states.toTypedArray()];
    assert.is(p.length, 21 * 20_000);
    assert.ok(p.every((value, i) => Math.abs(value - q[i]!) < 2e-6 * Math.max(1, Math.abs(value))));
    const last = solve(process, solvers.eulerMaruyama, startAt(3, 20_000), { ...options, keep: 'last' });
    assert.equal(last.states.toTypedArray(), q.slice(20 * 20_000));
    for (const { states } of [many, fused, last]) states.dispose();
  });

  test('the fused kernel agrees with the reference, for any number of paths and threads', () => {
    const key = { seed: [1, 2], stream: [3, 4] } as const;
    const coefficients = [0.01, 0.02, 0.3, 0, -0.01, 0.5, 0.1, 0.2, 0, -0.1, 0.2, -0.3];
    const run = (name: 'wasm' | 'reference', n: number, keep: boolean) =>
      onBackend(name, () => {
        const start = startAt(1.5, n);
        const out = start.empty([keep ? 3 * n : n]);
        const { kernels } = start.backend;
        kernels.affinePath({
          n,
          steps: 3,
          coefficients: tensor(coefficients).ptr,
          x: start.ptr,
          out: out.ptr,
          row: keep ? n : 0,
          key,
          stepBlocks: 4 * Math.ceil(n / 16),
        });
        return Float64Array.from(out.toTypedArray());
      });
    for (const n of [1, 15, 16, 17, 1000, 1024, 1040, 2085]) {
      const [fast, exactly] = [run('wasm', n, true), run('reference', n, true)];
      fast.forEach((value, i) => {
        assert.ok(Math.abs(value - exactly[i]!) < 5e-6, `${n} paths, ${i}: ${value}, ${exactly[i]}`);
      });
      assert.equal(run('wasm', n, false), fast.slice(2 * n));
    }
    const before = backend().threads;
    try {
      setThreads(1);
      const alone = run('wasm', 10_007, true);
      setThreads(3);
      assert.equal(run('wasm', 10_007, true), alone);
    } finally {
      setThreads(before);
    }
  });

  test('a state that overflows with additive noise is infinite in every path, also in the last of a row', () => {
    for (const name of ['wasm', 'reference'] as const) {
      onBackend(name, () => {
        const start = startAt(Infinity, 19);
        const out = start.empty([19]);
        start.backend.kernels.affinePath({
          ...{ n: 19, steps: 2, coefficients: tensor([0.1, 0.2, 0.3, 0, 0.1, 0.2, 0.3, 0]).ptr },
          ...{ x: start.ptr, out: out.ptr, row: 0, stepBlocks: 8 },
          key: { seed: [1, 2], stream: [3, 4] },
        });
        assert.equal([...out.toTypedArray()], Array(19).fill(Infinity), name);
      });
    }
  });

  test('adaptive steps approximate the exact solution on the path, and better with a smaller tolerance', () => {
    const process = gbm({ x0: 1, mu: 1, sigma: 0.7 });
    const error = (rtol: number) => {
      const path = new BrownianPath(new Rng('adaptive'), [40], { t1: 1, area: true });
      const run = solveAdaptive(process, solvers.sri1, startAt(1, 40), { path, rtol, atol: rtol / 10 });
      assert.is(run.times[0], 0);
      assert.is(run.times.at(-1), 1);
      assert.ok(run.times.every((time, i) => i === 0 || time > run.times[i - 1]!));
      const w = scope(() => path.at(1).toTypedArray());
      const all = run.states.toTypedArray();
      const end = all.subarray(all.length - 40);
      run.states.dispose();
      const gaps = Array.from(end, (value, i) => Math.abs(value - process.onPath!(1, 1, w[i]!)));
      return { steps: run.accepted, gap: gaps.reduce((sum, gap) => sum + gap, 0) / 40 };
    };
    const [coarse, fine] = [error(1e-2), error(3e-4)];
    assert.ok(coarse.gap < 0.05, `${coarse.gap}`);
    assert.ok(fine.gap < coarse.gap / 4, `${fine.gap} after ${coarse.gap}`);
    assert.ok(fine.steps > coarse.steps);
  });

  test('an adaptive step keeps the two half steps, and the next length follows from the error and the order', () => {
    const process = gbm({ x0: 1, mu: 1, sigma: 0.7 });
    for (const [solver, order] of [
      [solvers.sri1, 1.5],
      [solvers.milstein, 1],
      [solvers.reversibleHeun, 1],
    ] as const) {
      const equation = solver.interpretation === 'ito' ? process : toStratonovich(process);
      const path = new BrownianPath(new Rng('two steps'), [5], { t1: 1, area: true });
      const [dt, error] = [0.05, 0.05]; // so small that the second step is accepted too
      const [once, twice] = scope(() => {
        const start = startAt(1, 5);
        const state = solver.begin?.(start) ?? start;
        const step = (from: Tensor, s: number, t: number) => advance(equation, solver, from, s, t, path);
        const ends = [step(state, 0, dt), step(step(state, 0, dt / 2), dt / 2, dt)];
        return ends.map((end) => Array.from((solver.read?.(end) ?? end).toTypedArray()));
      });
      // The tolerance with which the estimate is `error`.
      const squares = twice.map((y, i) => ((once[i] - y) / (1 + Math.max(1, Math.abs(y)))) ** 2);
      const tolerance = Math.sqrt(squares.reduce((sum, x) => sum + x, 0) / 5) / error;
      const options = { path, firstStep: dt, rtol: tolerance, atol: tolerance };
      const { heap } = backend();
      const [start, before] = [startAt(1, 5), heap.blocks];
      const run = solveAdaptive(equation, solver, start, options);
      assert.is(heap.blocks, before + 1, 'only the states stay in memory');
      assert.equal(Array.from(run.states.slice([1], [2]).toTypedArray()), twice, solver.name);
      const [, first, second] = run.times;
      const factor = 0.9 * error ** (-0.7 / (order + 0.5));
      assert.is(first, dt);
      assert.ok(
        Math.abs((second - first) / dt - factor) < 1e-3,
        `${solver.name}: ${second}, factor ${factor}`,
      );
      run.states.dispose();
    }
  });

  test('adaptive steps refuse a solver with a wrong limit, and an error states the time at which they fail', () => {
    const path = new BrownianPath(new Rng(0), [4], { t1: 1, area: true });
    assert.throws(
      () => solveAdaptive(gbm(), solvers.eulerMaruyama, startAt(1, 4), { path }),
      /expected a solver of strong order 1 or more for diagonal noise, got euler-maruyama/,
    );
    const explosive = expressionSde('x^3', '1');
    const long = new BrownianPath(new Rng(0), [4], { t1: 50, area: true });
    assert.throws(
      () => solveAdaptive(explosive, solvers.sri1, startAt(2, 4), { path: long }),
      (e: unknown) =>
        e instanceof DivergenceError && /expected steps of at least .* at t = 0\.\d+/.test(e.message),
    );
    assert.throws(
      () => solveAdaptive(gbm(), solvers.sri1, startAt(1, 4), { path, rtol: 0 }),
      isA(ValueError),
    );
  });

  test('a tamed step stays finite for a drift with which Euler-Maruyama explodes', () => {
    const wild = expressionSde('-x^3', '1');
    const options = { t1: 5, steps: 50, keep: 'last' } as const;
    assert.throws(() => solve(wild, solvers.eulerMaruyama, startAt(20, 8), options), isA(DivergenceError));
    const { states } = solve(wild, solvers.tamedEuler, startAt(20, 8), options);
    assert.ok(states.toTypedArray().every(Number.isFinite));
  });
});
