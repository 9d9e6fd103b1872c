/**
 * Compares processes with their exact laws: moments within four standard errors, the distribution of the end by
 * Kolmogorov-Smirnov tests, solutions on a given path, and the composition of laws (Chapman-Kolmogorov).
 */
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { Rng } from '../src/random/rng.ts';
import { BrownianPath } from '../src/sde/brownian-path.ts';
import type { Law } from '../src/sde/law.ts';
import {
  brownian,
  brownianBridge,
  coxIngersollRoss,
  doubleWell,
  drift,
  gbm,
  heston,
  ornsteinUhlenbeck,
  PROCESSES,
  type Process,
  subVariancePreserving,
  varianceExploding,
  variancePreserving,
} from '../src/sde/processes/index.ts';
import { misfit, noiseOf, type SdeSolver, toStratonovich } from '../src/sde/sde.ts';
import { solve, startAt } from '../src/sde/solve.ts';
import { eulerMaruyama, exact, heun, odeRk4, SOLVERS, sri1 } from '../src/sde/solvers/index.ts';
import { gammaP, lnGamma, noncentralChiSquare, normalCdf } from '../src/sde/special.ts';
import { tensor } from '../src/tensor/create.ts';
import { onBackend } from './helpers.ts';
import { ksTest, normalCdf as oracleCdf } from './helpers-statistics.ts';
import { suite } from './suite.ts';

const WITH_LAW = [
  brownian(),
  drift(),
  gbm(),
  ornsteinUhlenbeck(),
  coxIngersollRoss(),
  variancePreserving(),
  subVariancePreserving(),
  varianceExploding(),
];

/** The end values of a solve. */
function ends(process: Process, solver: SdeSolver, paths: number, t1: number, steps: number): Float64Array {
  const start = startAt(process.start, paths);
  const { states } = solve(process, solver, start, { t1, steps, keep: 'last', noise: 'ends' });
  const values = Float64Array.from(states.toTypedArray());
  states.dispose();
  start.dispose();
  return values;
}

/** The standard scores of a sample's mean and variance under a law. */
function scores(
  values: Float64Array,
  law: { mean: number; variance: number },
): { mean: number; variance: number } {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const central = (k: number) => values.reduce((sum, x) => sum + (x - mean) ** k, 0) / n;
  const [second, fourth] = [central(2), central(4)];
  return {
    mean: (mean - law.mean) / Math.sqrt(law.variance / n),
    variance: (second - law.variance) / Math.sqrt((fourth - second ** 2) / n),
  };
}

function within(values: Float64Array, law: { mean: number; variance: number }, what: string): void {
  const { mean, variance } = scores(values, law);
  assert.ok(Math.abs(mean) < 4, `${what}: mean off by ${mean} standard errors`);
  assert.ok(Math.abs(variance) < 4, `${what}: variance off by ${variance} standard errors`);
}

/** ∫ f over [a, b] by Simpson's rule. */
function integral(f: (x: number) => number, a: number, b: number, n = 2000): number {
  const h = (b - a) / n;
  let sum = f(a) + f(b);
  for (let i = 1; i < n; i++) sum += (i % 2 ? 4 : 2) * f(a + i * h);
  return (sum * h) / 3;
}

const range = ({ mean, variance }: Law): [number, number] => {
  const reach = 12 * Math.sqrt(variance!);
  return [mean - reach, mean + reach];
};

suite('processes', (test) => {
  test('every density integrates to 1, to its mean, variance and distribution function', () => {
    for (const process of [...WITH_LAW, brownianBridge()]) {
      const law = process.law!(process.start[0]!, 0, 0.7);
      const [low, high] = range(law);
      const from = ['gbm', 'cir'].includes(process.name) ? Math.max(low, 1e-9) : low;
      const moment = (k: number) =>
        integral((x) => law.density!(x) * (k === 0 ? 1 : (x - law.mean * +(k === 2)) ** k), from, high);
      const close = (a: number, b: number, what: string) =>
        assert.ok(Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(b)), `${process.name} ${what}: ${a}, ${b}`);
      close(moment(0), 1, 'density');
      close(moment(1), law.mean, 'mean');
      close(moment(2), law.variance!, 'variance');
      const x = law.mean + 0.3 * Math.sqrt(law.variance!);
      close(integral(law.density!, from, x), law.cdf!(x), 'distribution function');
    }
  });

  test('laws compose: from 0 to s and from s to t gives from 0 to t', () => {
    for (const process of [...WITH_LAW, brownianBridge()]) {
      const [x0, s, t] = [process.start[0]!, 0.3, 0.8];
      const [first, whole] = [process.law!(x0, 0, s), process.law!(x0, 0, t)];
      const [low, high] = range(first);
      const from = ['gbm', 'cir'].includes(process.name) ? Math.max(low, 1e-9) : low;
      const at = whole.mean + 0.4 * Math.sqrt(whole.variance!);
      const cdf = integral((x) => first.density!(x) * process.law!(x, s, t).cdf!(at), from, high, 600);
      assert.ok(Math.abs(cdf - whole.cdf!(at)) < 1e-6, `${process.name}: ${cdf}, ${whole.cdf!(at)}`);
    }
  });

  test('exact sampling in 7 steps ends in the exact law, by moments and by Kolmogorov-Smirnov', () => {
    for (const process of WITH_LAW) {
      const [x0, t1] = [process.start[0]!, 0.9];
      const n = process.name === 'cir' ? 2000 : 20_000;
      const values = ends(process, exact, n, t1, 7);
      const law = process.law!(x0, 0, t1);
      within(values, law as { mean: number; variance: number }, process.name);
      assert.ok(ksTest(values, law.cdf!) > 1e-3, process.name);
    }
  });

  test('Euler-Maruyama in many steps ends near the exact law', () => {
    for (const process of WITH_LAW) {
      const values = ends(process, eulerMaruyama, 4000, 0.9, 1500);
      const law = process.law!(process.start[0]!, 0, 0.9);
      within(values, law as { mean: number; variance: number }, process.name);
      assert.ok(ksTest(values, law.cdf!) > 1e-3, process.name);
    }
  });

  test("the lecture's drift SDE: 999 steps of 0.01, against Euler's own closed form and the exact one", () => {
    const n = 100_000;
    const values = ends(drift(), eulerMaruyama, n, 9.99, 999);
    // X_n = (1 + a dt)^n x0 + sum of (1 + a dt)^(n-1-k) dW_k
    const g = 1.001;
    const euler = { mean: 10 * g ** 999, variance: (0.01 * (g ** 1998 - 1)) / (g * g - 1) };
    within(values, euler, "Euler's closed form");
    within(values, drift().law!(10, 0, 9.99) as { mean: number; variance: number }, 'the exact law');
  });

  test("Brownian motion's variance equals t along the path", () => {
    const n = 20_000;
    const { states, times } = solve(brownian(), eulerMaruyama, startAt(0, n), {
      t1: 10,
      steps: 50,
      noise: 3,
    });
    const all = states.toTypedArray();
    for (const k of [1, 10, 25, 50]) {
      within(
        Float64Array.from(all.subarray(k * n, (k + 1) * n)),
        { mean: 0, variance: times[k]! },
        `t = ${times[k]}`,
      );
    }
    states.dispose();
  });

  test('a solver on a Brownian path meets the exact solution on that path', () => {
    for (const process of [brownian({ sigma: 2 }), gbm({ x0: 1, sigma: 0.5 })]) {
      const path = new BrownianPath(new Rng(5), [50], { t1: 1, area: true });
      const { states } = solve(process, sri1, startAt(process.start, 50), {
        t1: 1,
        steps: 256,
        path,
        keep: 'last',
      });
      const w = scope(() => path.at(1).toTypedArray());
      states.toTypedArray().forEach((x, i) => {
        assert.ok(Math.abs(x - process.onPath!(process.start[0]!, 1, w[i]!)) < 1e-3);
      });
      states.dispose();
    }
  });

  test('exact sampling of geometric Brownian motion is exact on the path', () => {
    const process = gbm({ x0: 1, sigma: 0.5 });
    const path = new BrownianPath(new Rng(5), [50], { t1: 1 });
    const { states } = solve(process, exact, startAt(1, 50), { t1: 1, steps: 3, path, keep: 'last' });
    const w = scope(() => path.at(1).toTypedArray());
    states.toTypedArray().forEach((x, i) => {
      assert.ok(Math.abs(x - process.onPath!(1, 1, w[i]!)) < 1e-5);
    });
  });

  test('the double well and Ornstein-Uhlenbeck tend to their stationary laws', () => {
    for (const process of [doubleWell({ T: 1 }), ornsteinUhlenbeck(), coxIngersollRoss()]) {
      const values = ends(process, eulerMaruyama, 4000, 12, 3000);
      assert.ok(ksTest(values, process.stationary!.cdf!) > 1e-3, process.name);
    }
  });

  test('the stationary law of the double well is that of Gibbs, with a distribution function from 0 to 1', () => {
    for (const [h, T] of [
      [1, 0.5],
      [3, 0.2],
      [0.05, 2],
    ]) {
      const law = doubleWell({ h, T }).stationary!;
      const reach = 2 + 4 * (T / h) ** 0.25;
      const weight = (x: number) => Math.exp((-h * (x * x - 1) ** 2) / T);
      const part = (power: number, to: number) =>
        integral((x) => x ** power * weight(x), -reach, to) / integral(weight, -reach, reach);
      const close = (a: number, b: number, what: string) =>
        assert.ok(Math.abs(a - b) < 4e-6, `${what} for h ${h}, T ${T}: expected ${b}, got ${a}`);
      assert.is(law.mean, 0);
      close(law.variance!, part(2, reach), 'variance');
      close(law.density!(0.7), weight(0.7) / integral(weight, -reach, reach), 'density');
      for (const x of [-1.3, -0.9, -0.01, 0, 0.4, 1.1]) close(law.cdf!(x), part(0, x), `cdf(${x})`);
      assert.equal([-1e3, 1e3].map(law.cdf!), [0, 1]);
    }
  });

  test("Heston's price grows at mu on average, and its variance has the law of Cox, Ingersoll and Ross", () => {
    const n = 4000;
    const values = ends(heston(), eulerMaruyama, n, 1, 400);
    const prices = values.filter((_, i) => i % 2 === 0);
    const variances = values.filter((_, i) => i % 2 === 1);
    const mean = prices.reduce((sum, x) => sum + x, 0) / n;
    const deviation = Math.sqrt(prices.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
    assert.ok(Math.abs(mean - 100 * Math.exp(0.05)) < (4 * deviation) / Math.sqrt(n));
    const v = coxIngersollRoss({ x0: 0.04, kappa: 2, theta: 0.04, sigma: 0.3 });
    assert.ok(ksTest(variances, v.law!(0.04, 0, 1).cdf!) > 1e-3);
  });

  test('the equation without noise gives the mean of a linear process', () => {
    for (const process of [drift(), gbm(), ornsteinUhlenbeck(), variancePreserving()]) {
      const [value] = ends(process, odeRk4, 1, 0.9, 200);
      const { mean } = process.law!(process.start[0]!, 0, 0.9);
      assert.ok(Math.abs(value! - mean) < 1e-5 * Math.abs(mean), process.name);
    }
  });

  test('the variance preserving SDE keeps variance 1, and the exploding one ends at sigmaMax', () => {
    const vp = variancePreserving().law!(1, 0, 1);
    assert.ok(Math.abs(vp.variance! + vp.mean ** 2 - 1) < 1e-12);
    const ve = varianceExploding({ sigmaMin: 0.01, sigmaMax: 50 }).law!(0, 0, 1);
    assert.ok(Math.abs(ve.variance! - (2500 - 1e-4)) < 1e-8);
    const sub = subVariancePreserving().law!(0, 0, 0.6);
    const b = 0.1 * 0.6 + (19.9 * 0.36) / 2;
    assert.ok(Math.abs(sub.variance! - (1 - Math.exp(-b)) ** 2) < 1e-12);
  });

  test('corrections are (∂b/∂x)·b, by central differences', () => {
    let found = 0;
    for (const family of PROCESSES) {
      const process = family();
      if (!process.correction) continue;
      found++;
      onBackend('reference', () =>
        scope(() => {
          const several = noiseOf(process) === 'general';
          const [rows, h] = [process.start.length, 1e-5];
          const x = tensor(process.start.map((value) => 1.1 * value)).reshape(1, rows);
          const states = several ? x : x.reshape(rows);
          const column = (at: typeof x, k: number) => {
            const b = process.diffusion(at, 0.3);
            return several ? b.slice([k], [k + 1]).reshape(1, rows) : b;
          };
          let sum = states.mul(0);
          for (let k = 0; k < (process.motions ?? 1); k++) {
            const b = column(states, k).mul(h);
            sum = sum.add(
              column(states.add(b), k)
                .sub(column(states.sub(b), k))
                .mul(1 / (2 * h)),
            );
          }
          const given = states.mul(0).add(process.correction!(states, 0.3)).toTypedArray();
          for (const [i, value] of sum.toTypedArray().entries()) {
            const error = Math.abs(given[i] - value);
            assert.ok(error < 1e-6 * (1 + Math.abs(value)), `${process.name}: ${given[i]} is not ${value}`);
          }
        }),
      );
    }
    assert.is(found, 3);
  });

  test('Heun keeps the mean of the Heston model, whose Stratonovich form it solves', () => {
    const process = heston();
    const { mean } = process.law!(100, 0, 1);
    const x = startAt(process.start, 20_000);
    const { states } = solve(toStratonovich(process), heun, x, {
      t1: 1,
      steps: 50,
      noise: new Rng('heston'),
      keep: 'last',
    });
    const prices = Array.from(states.toTypedArray()).filter((_, i) => i % 2 === 0);
    const average = prices.reduce((sum, price) => sum + price / prices.length, 0);
    const deviation = Math.sqrt(prices.reduce((sum, p) => sum + (p - average) ** 2, 0) / prices.length);
    const error = deviation / Math.sqrt(prices.length);
    assert.ok(Math.abs(average - mean) < 4 * error, `${average} ± ${error} is not ${mean}`);
    for (const used of [x, states]) used.dispose();
  });

  test('every process has all that the solvers of its noise type need, except exact transitions', () => {
    for (const family of PROCESSES) {
      for (const solver of SOLVERS) {
        const process = family();
        const sde = solver.interpretation === 'stratonovich' ? toStratonovich(process) : process;
        assert.not.match(misfit(solver, sde) ?? '', /correction/, `${process.name} by ${solver.name}`);
      }
    }
  });

  test('every process states its parameters with meaning and unit, and errors name a wrong parameter', () => {
    for (const family of PROCESSES) {
      const { name, parameters } = family.definition;
      for (const [key, { value, meaning }] of Object.entries(parameters)) {
        assert.ok(Number.isFinite(value) && meaning !== '', `${name}.${key}`);
        assert.throws(
          () => family({ [key]: Number.NaN }),
          new RegExp(`^${name}: expected .* for ${key}, got NaN`),
        );
      }
      assert.throws(() => family({ nonsense: 1 }), /expected a parameter .*, got "nonsense"/);
    }
    assert.throws(() => gbm({ sgma: 1 } as never), /Did you mean "sigma"/);
    assert.throws(() => ornsteinUhlenbeck({ sigma: -1 }), /expected a number above 0 for sigma, got -1/);
    assert.throws(() => heston({ rho: 2 }), /expected a number from -1 to 1 for rho/);
    assert.throws(() => coxIngersollRoss({ sigma: 2 }), /Feller's condition/);
    assert.throws(() => varianceExploding({ sigmaMin: 6 }), /expected sigmaMin < sigmaMax/);
  });
});

suite('special functions', (test) => {
  test('the normal distribution function agrees with its series to 1e-13', () => {
    for (let x = -6; x <= 6; x += 0.37) assert.ok(Math.abs(normalCdf(x) - oracleCdf(x)) < 1e-13, `${x}`);
  });

  test('known values of the gamma functions', () => {
    assert.ok(Math.abs(lnGamma(10) - Math.log(362880)) < 1e-12);
    assert.ok(Math.abs(lnGamma(0.5) - Math.log(Math.PI) / 2) < 1e-13);
    assert.ok(Math.abs(gammaP(1, 2) - (1 - Math.exp(-2))) < 1e-14);
    assert.ok(Math.abs(gammaP(3, 1.5) - (1 - Math.exp(-1.5) * (1 + 1.5 + 1.125))) < 1e-14);
  });

  test('the noncentral chi-square law with 1 degree of freedom is the law of (z + shift)², to 1e-10', () => {
    for (const [lambda, x] of [
      [0, 1],
      [2, 3],
      [50, 40],
      [400, 420],
      [10_000, 10_100],
    ] as const) {
      const [m, r] = [Math.sqrt(lambda), Math.sqrt(x)];
      const { pdf, cdf } = noncentralChiSquare(1, lambda, x);
      assert.ok(Math.abs(cdf - (oracleCdf(r - m) - oracleCdf(-r - m))) < 1e-10, `${lambda}, ${x}: ${cdf}`);
      const density =
        (Math.exp(-((r - m) ** 2) / 2) + Math.exp(-((r + m) ** 2) / 2)) / (2 * r * Math.sqrt(2 * Math.PI));
      assert.ok(Math.abs(pdf - density) < 1e-10, `${lambda}, ${x}: ${pdf}`);
    }
  });
});
