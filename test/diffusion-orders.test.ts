/**
 * Tests the samplers without a network. On Gaussian data the distribution of the output is known exactly
 * (test/diffusion-affine.ts). So orders of convergence are measured in float64 without sampling error, for
 * deterministic and for stochastic samplers.
 */
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { karrasSigmas } from '../src/diffusion/betas.ts';
import { continuousSchedule } from '../src/diffusion/continuous-schedule.ts';
import { createSchedule, DiscreteSchedule } from '../src/diffusion/discrete-schedule.ts';
import { gaussian } from '../src/diffusion/gaussian-mixture.ts';
import { lambda, type NoiseLevel, noiseToSignal, transition } from '../src/diffusion/level.ts';
import { predictor } from '../src/diffusion/prediction.ts';
import {
  createSampler,
  runSampler,
  SAMPLERS,
  type SamplerName,
  type SamplersOptions,
} from '../src/diffusion/samplers/index.ts';
import { spacedLevels } from '../src/diffusion/spacing.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import { affineMap, marginal, order, push } from './diffusion-affine.ts';
import { suite } from './suite.ts';

const [MEAN, VARIANCE] = [0.7, 0.2];
const SCHEDULES = [
  continuousSchedule('vp', { tMin: 0.05 }),
  continuousSchedule('ve', { tMin: 0.2, sigmaMax: 10 }),
  continuousSchedule('flow', { tMin: 0.1, tMax: 0.98 }),
] as const;
const VP = SCHEDULES[0];
/** The flow from pure noise, where alpha is 0, with equal steps of its own time. */
const PURE = continuousSchedule('flow', { tMin: 0.1 });
const TIMES = { spacing: 'trailing' } as const;

const near = (value: number, expected: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${what}: ${value} is not ${expected} ± ${tolerance}`);

/** A row of the table: sampler, options, order of the standard deviation of its output, and schedule (default VP). */
type Row = {
  [N in SamplerName]: readonly [N, SamplersOptions[N], number, (typeof SCHEDULES)[number]?];
}[SamplerName];

/** The numbers of steps for each order: the leading term of the error dominates, and the error is above rounding. */
const STEPS: Readonly<Record<number, readonly number[]>> = {
  1: [96, 192, 384],
  2: [96, 192, 384],
  3: [48, 96, 192],
  4: [256, 512, 1024],
};

const FULL = { lowerOrderFinal: false } as const;
const ORDERS: readonly Row[] = [
  ['ddpm', {}, 1],
  ['ddpm', { variance: 'large' }, 1],
  ['ddim', {}, 1],
  ['ddim', { eta: 0.5 }, 1],
  ['euler', {}, 1],
  ['heun', {}, 2],
  ['edm', {}, 2],
  ['edm', { churn: 4 }, 2],
  ['dpm-solver-2s', {}, 2],
  ['dpm-solver-2s', { inner: 'grid' }, 2],
  ['dpm-solver-2m', FULL, 2],
  ['dpm-solver-2m', { ...FULL, variant: 'heun' }, 2],
  ['dpm-solver-sde-2m', { ...FULL, variant: 'heun' }, 2],
  ['dpm-solver-sde-2m', FULL, 2, SCHEDULES[1]],
  ['predictor-corrector', { stepSize: 0.001 }, 1],
  ['unipc', { ...FULL, order: 1, corrector: false }, 1],
  ['unipc', { ...FULL, order: 1 }, 2],
  ['unipc', { ...FULL, order: 2, corrector: false, variant: 'bh1' }, 2],
  ['unipc', { ...FULL, order: 2 }, 3],
  ['unipc', { ...FULL, order: 2, variant: 'bh1' }, 3],
  ['unipc', { ...FULL, order: 3, corrector: false }, 3],
  ['unipc', { ...FULL, order: 3 }, 4],
  ['ddpm', TIMES, 1, PURE],
  ['ddim', TIMES, 1, PURE],
  ['euler', TIMES, 1, PURE],
  ['heun', TIMES, 2, PURE],
  ['edm', TIMES, 2, PURE],
  ['edm', { spacing: 'karras' }, 2, PURE],
  ['edm', { ...TIMES, churn: 4 }, 2, PURE],
  ['dpm-solver-2s', TIMES, 2, PURE],
  ['dpm-solver-2s', { ...TIMES, inner: 'grid' }, 2, PURE],
  ['dpm-solver-2m', { ...FULL, ...TIMES }, 2, PURE],
  ['dpm-solver-sde-2m', { ...FULL, ...TIMES }, 2, PURE],
  ['predictor-corrector', { ...TIMES, stepSize: 0.001 }, 1, PURE],
  ['unipc', { ...FULL, ...TIMES, order: 1 }, 2, PURE],
  ['unipc', { ...FULL, ...TIMES, order: 2 }, 3, PURE],
];

suite('diffusion: samplers on Gaussian data', (test) => {
  setBackend('reference');

  for (const [name, options, expected, schedule = VP] of ORDERS) {
    const where = schedule === PURE ? 'flow from pure noise' : schedule.name;
    test(`${name} ${JSON.stringify(options)} converges with order ${expected} on ${where}`, () => {
      const start = marginal(schedule.level(schedule.tMax), MEAN, VARIANCE);
      const wanted = marginal(schedule.level(schedule.tMin), MEAN, VARIANCE);
      const error = (steps: number) => {
        const sampler = createSampler(name, { spacing: 'log-snr', end: 'first', steps, ...options });
        const draws = sampler.stochastic ? 2 * steps : 0;
        const made = push(affineMap(sampler, schedule, MEAN, VARIANCE, draws), start.mean, start.variance);
        near(made.mean, wanted.mean, 1e-10, 'mean');
        return Math.abs(Math.sqrt(made.variance) - Math.sqrt(wanted.variance));
      };
      near(order(STEPS[expected]!, error), expected, 0.15, 'slope');
    });
  }

  test('every sampler’s declared order is in the table', () => {
    for (const [name, options, expected] of ORDERS) {
      const { order: declared } = createSampler(name, options);
      const inUse = declared === expected;
      assert.ok(inUse, `${name} ${JSON.stringify(options)} declares ${declared}, measured ${expected}`);
    }
  });

  for (const schedule of [...SCHEDULES, createSchedule('cosine', 200), createSchedule('linear')]) {
    test(`every sampler gives exactly the point if the data are one point, on ${schedule.name}`, () => {
      const data = gaussian([0.3, -0.8], 0).predictor(schedule);
      for (const name of SAMPLERS) {
        if (name === 'ddim-inversion') continue;
        const sampler = createSampler(name, { steps: 5 });
        const x = runSampler(sampler.sample(data, schedule, tensor([[2, -1]]), new Rng('points')));
        near(x.toTypedArray()[0]!, 0.3, 1e-10, name);
        near(x.toTypedArray()[1]!, -0.8, 1e-10, name);
      }
    });
  }

  test('DDIM, Euler, Heun, 2M and 2S equal their recursions written out, to float precision', () => {
    // With y = x/alpha - mean and s = sigma/alpha: eps = y·s/(s² + v), and x0 - mean = y·v/(s² + v).
    for (const schedule of SCHEDULES) {
      const options = { steps: 7, spacing: 'log-snr', end: 'first' } as const;
      const levels = spacedLevels(schedule, options);
      const s = levels.map(noiseToSignal);
      const k = (value: number) => value / (value * value + VARIANCE);
      const d = (value: number) => VARIANCE / (value * value + VARIANCE);
      const byHand: Partial<Record<SamplerName, number>> = {};
      const steps = s.slice(1).map((to, i) => [s[i]!, to] as const);
      byHand.ddim = steps.reduce((y, [from, to]) => y * (1 + (to - from) * k(from)), 1);
      byHand.euler = byHand.ddim;
      byHand.heun = steps.reduce((y, [from, to]) => {
        const trial = 1 + (to - from) * k(from);
        return y * (1 + ((to - from) / 2) * (k(from) + k(to) * trial));
      }, 1);
      byHand['dpm-solver-2s'] = steps.reduce((y, [from, to]) => {
        const e = to / from;
        const [middle, root] = [Math.sqrt(from * to), Math.sqrt(e)];
        const inner = root + (1 - root) * d(from);
        return y * (e + (1 - e) * d(middle) * inner);
      }, 1);
      let before = 0;
      let hBefore = 0;
      byHand['dpm-solver-2m'] = steps.reduce((y, [from, to], i) => {
        const h = Math.log(from / to);
        const own = d(from) * y;
        const D = i === 0 ? own : own + ((h / hBefore) * (own - before)) / 2;
        [before, hBefore] = [own, h];
        return (to / from) * y + (1 - to / from) * D;
      }, 1);
      const [first, last] = [levels[0]!, levels[7]!];
      if (schedule.name === 'flow') {
        // In the flow's own time z = x - alpha·mean has the velocity (z - x0)/t, without the part of the mean.
        const slope = (level: NoiseLevel) =>
          (1 - (level.alpha * VARIANCE) / marginal(level, 0, VARIANCE).variance) / level.t;
        const z = levels.slice(1).reduce((z, to, i) => {
          const [from, h] = [levels[i]!, to.t - levels[i]!.t];
          const trial = z * (1 + h * slope(from));
          return z + (h / 2) * (slope(from) * z + slope(to) * trial);
        }, 1);
        byHand.heun = (z * first.alpha) / last.alpha;
      }
      for (const [name, gain] of Object.entries(byHand) as [SamplerName, number][]) {
        const { A, c } = affineMap(
          createSampler(name, name === 'dpm-solver-2m' ? { ...options, ...FULL } : options),
          schedule,
          MEAN,
          VARIANCE,
        );
        const expected = (gain * last.alpha) / first.alpha;
        near(A, expected, 1e-12 * Math.abs(expected) + 1e-13, `${name} on ${schedule.name}`);
        // The mean of the first level is mapped to that of the last.
        near(c + A * first.alpha * MEAN, last.alpha * MEAN, 1e-11, name);
      }
    }
  });

  test('DDPM and DDIM with eta equal their recursions written out, to float precision', () => {
    const schedule = createSchedule('cosine', 30);
    const model = (t: number) => {
      const { alpha, sigma } = schedule.level(t);
      return (alpha * VARIANCE) / (alpha * alpha * VARIANCE + sigma * sigma);
    };
    let [small, large] = [1, 1];
    let half = 1;
    for (let t = 29; t > 0; t--) {
      const [from, to] = [schedule.level(t), schedule.level(t - 1)];
      // Ho et al. (2020), equations 6 and 7, in alphaBar
      const [bar, barTo] = [from.alpha ** 2, to.alpha ** 2];
      const beta = 1 - bar / barTo;
      const tilde = ((1 - barTo) / (1 - bar)) * beta;
      const gain =
        (Math.sqrt(bar / barTo) * (1 - barTo)) / (1 - bar) +
        ((Math.sqrt(barTo) * beta) / (1 - bar)) * model(t);
      small = gain * gain * small + tilde;
      large = gain * gain * large + beta;
      // Song, Meng and Ermon (2021), equation 12, with eta 1/2
      const eps = (1 - from.alpha * model(t)) / from.sigma;
      const ddim = to.alpha * model(t) + Math.sqrt(1 - barTo - tilde / 4) * eps;
      half = ddim * ddim * half + tilde / 4;
    }
    const end = model(0) ** 2;
    const made = (name: 'ddpm' | 'ddim', options: object) =>
      push(affineMap(createSampler(name, { steps: 30, ...options }), schedule, 0, VARIANCE, 30), 0, 1)
        .variance;
    near(made('ddpm', {}), end * small, 1e-13);
    near(made('ddpm', { variance: 'large' }), end * large, 1e-13);
    near(made('ddim', { eta: 0.5 }), end * half, 1e-13);
  });

  test('DDIM with eta 1 is DDPM with the small variance, given the same noise', () => {
    for (const schedule of [createSchedule('linear', 100), createSchedule('cosine', 100)]) {
      const model = gaussian([0.5, -1], [0.3, 2]).predictor(schedule);
      for (const threshold of ['none', 'clip'] as const) {
        const x = new Rng('start').normal([50, 2]);
        const make = (name: 'ddim' | 'ddpm', options: object) =>
          runSampler(
            createSampler(name, { steps: 20, threshold, ...options }).sample(
              model,
              schedule,
              x,
              new Rng('noise'),
            ),
          ).toTypedArray();
        const [a, b] = [make('ddim', { eta: 1 }), make('ddpm', {})];
        for (const [i, value] of a.entries()) near(value, b[i]!, 1e-12);
      }
    }
  });

  test('the first step of the SDE solver is DDIM with eta 1, and UniPC of order 1 without a corrector is DDIM', () => {
    const make = (name: SamplerName, options: object, draws = 0) =>
      affineMap(createSampler(name, { end: 'first', ...options }), VP, MEAN, VARIANCE, draws);
    const [one, other] = [make('dpm-solver-sde-2m', { steps: 1 }, 1), make('ddim', { steps: 1, eta: 1 }, 1)];
    near(one.A, other.A, 1e-14);
    near(one.noise, other.noise, 1e-14);
    near(make('unipc', { steps: 9, order: 1, corrector: false }).A, make('ddim', { steps: 9 }).A, 1e-13);
  });

  test('UniPC’s predictor of order 2 with bh2 is DPM-Solver++ 2M, as in the paper', () => {
    const options = { steps: 12, spacing: 'log-snr', end: 'first', ...FULL } as const;
    for (const schedule of SCHEDULES) {
      const unipc = affineMap(
        createSampler('unipc', { ...options, corrector: false }),
        schedule,
        MEAN,
        VARIANCE,
      );
      const dpm = affineMap(createSampler('dpm-solver-2m', options), schedule, MEAN, VARIANCE);
      near(unipc.A, dpm.A, 1e-12, schedule.name);
    }
  });

  test('learnt variance with a share of 0 or 1 is the small or the large one', () => {
    const schedule = createSchedule('cosine', 40);
    const data = gaussian([0], VARIANCE);
    for (const [share, variance] of [
      [0, 'small'],
      [1, 'large'],
    ] as const) {
      const model = {
        ...data.predictor(schedule),
        predictWithVariance: (x: ReturnType<typeof tensor>, t: number) => ({
          prediction: data.denoise(x, schedule.level(t)),
          share: x.mul(0).add(share),
        }),
      };
      const x = new Rng('start').normal([20, 1]);
      const make = (options: object) =>
        runSampler(
          createSampler('ddpm', { steps: 40, ...options }).sample(model, schedule, x, new Rng('noise')),
        ).toTypedArray();
      const [learned, fixed] = [make({ variance: 'learned' }), make({ variance })];
      for (const [i, value] of learned.entries()) near(value, fixed[i]!, 1e-12);
    }
  });

  test('DDIM after its inversion gives the data back: exactly with iterations, with an error of order 1 without', () => {
    const schedule = createSchedule('linear', 1000);
    const data = gaussian([0.4, -0.2], [0.3, 0.05]).predictor(schedule);
    const x = tensor([
      [0.9, -0.5],
      [-0.3, 0.1],
    ]);
    const there = (steps: number, iterations: number) => {
      const run = (name: 'ddim' | 'ddim-inversion', from: typeof x, options: object) =>
        runSampler(
          createSampler(name, { steps, spacing: 'log-snr', ...options }).sample(
            data,
            schedule,
            from,
            new Rng(0),
          ),
        );
      const latent = run('ddim-inversion', x, { iterations });
      const back = run('ddim', latent, { end: 'first' }).toTypedArray();
      return Math.max(...x.toTypedArray().map((value: number, i: number) => Math.abs(value - back[i]!)));
    };
    near(there(50, 40), 0, 1e-11);
    near(
      order([50, 100, 200], (n) => there(n, 0)),
      1,
      0.2,
    );
    assert.ok(there(50, 0) > 1e-3);
  });

  test('with churn 0 EDM is Heun’s method, and with more churn the result depends less on the start', () => {
    const run = (options: object) => {
      const sampler = createSampler('edm', { steps: 12, spacing: 'karras', end: 'first', ...options });
      return affineMap(sampler, VP, MEAN, VARIANCE, 12);
    };
    const heun = createSampler('heun', { steps: 12, spacing: 'karras', end: 'first' });
    near(run({}).A, affineMap(heun, VP, MEAN, VARIANCE).A, 1e-15);
    assert.is(run({}).noise, 0);
    assert.ok(run({ churn: 4 }).A < 0.5 * run({}).A);
    assert.ok(run({ churn: 4 }).noise > 0.1 * VARIANCE);
    assert.is(run({ churn: 4, minSigma: 1e3 }).noise, 0);
  });

  test('annealed Langevin has the stationary variance of its step size', () => {
    const ve = continuousSchedule('edm', { tMin: 0.4, tMax: 5 });
    const stepSize = 0.2;
    const corrections = 60;
    const sampler = createSampler('annealed-langevin', { steps: 4, end: 'first', stepSize, corrections });
    const { A, c, noise } = affineMap(sampler, ve, MEAN, VARIANCE, 5 * corrections);
    const { sigma } = ve.level(ve.tMin);
    const V = VARIANCE + sigma * sigma;
    const delta = stepSize * sigma * sigma;
    near(A, 0, 1e-3, 'start');
    near(c, MEAN, 2e-3, 'mean');
    near(noise, V / (1 - delta / (2 * V)), 1e-4 * V, 'variance');
  });

  test('the corrector brings the predictor’s variance nearer to the exact one', () => {
    const schedule = continuousSchedule('vp', { tMin: 0.3 });
    const start = marginal(schedule.level(1), MEAN, VARIANCE);
    const wanted = marginal(schedule.level(0.3), MEAN, VARIANCE).variance;
    const error = (corrections: number) => {
      const options = { steps: 20, spacing: 'log-snr', end: 'first', corrections, stepSize: 0.05 } as const;
      const map = affineMap(createSampler('predictor-corrector', options), schedule, MEAN, VARIANCE, 20 * 4);
      return Math.abs(push(map, start.mean, start.variance).variance - wanted);
    };
    assert.ok(error(1) < 0.75 * error(0));
    assert.ok(error(3) < 0.35 * error(0));
  });

  test('Heun takes few steps from the nearly pure noise of the cosine schedule', () => {
    const schedule = createSchedule('cosine');
    for (const [steps, tolerance] of [
      [10, 0.15],
      [20, 0.05],
      [50, 0.01],
    ] as const) {
      const made = push(affineMap(createSampler('heun', { steps }), schedule, MEAN, VARIANCE), 0, 1);
      // The start has mean 0. The exact mean at the first level is alpha times the mean of the data.
      near(made.mean, MEAN, 1e-4, 'mean');
      near(made.variance, VARIANCE, tolerance * VARIANCE, `variance after ${steps} steps`);
    }
  });

  test('every sampler gives the data from pure noise, where alpha is 0', () => {
    const schedule = createSchedule('scaled-linear', 1000, { zeroTerminalSnr: true });
    for (const name of ['ddpm', 'ddim', 'dpm-solver-2m', 'dpm-solver-sde-2m', 'unipc'] as const) {
      const sampler = createSampler(name, { steps: 200 });
      const made = push(affineMap(sampler, schedule, MEAN, VARIANCE, 200), 0, 1);
      near(made.mean, MEAN, 1e-9, name);
      near(made.variance, VARIANCE, 0.12 * VARIANCE, name);
    }
    const pairs = createSampler('dpm-solver-2s', { steps: 100, inner: 'grid' });
    near(push(affineMap(pairs, schedule, MEAN, VARIANCE), 0, 1).variance, VARIANCE, 0.05 * VARIANCE);
    // The relative error of the variance. With equal steps in a table, the last step (to the data) is long.
    const [table, flow] = [
      { zero: schedule, steps: 100 },
      { zero: continuousSchedule('flow'), steps: 60 },
    ];
    for (const [name, onTable, onFlow] of [
      ['euler', 0.1, 0.06],
      ['heun', 0.05, 1e-3],
      ['edm', 0.005, 4e-3],
      ['dpm-solver-2s', 0.05, 4e-3],
      ['annealed-langevin', 0.2, 0.25],
    ] as const) {
      for (const [{ zero, steps }, tolerance] of [
        [table, onTable],
        [flow, onFlow],
      ] as const) {
        const sampler = createSampler(name, { steps });
        const made = push(affineMap(sampler, zero, MEAN, VARIANCE, 10 * (steps + 1)), 0, 1);
        near(made.mean, MEAN, name === 'annealed-langevin' ? 0.02 : 1e-9, `${name} on ${zero.name}`);
        near(made.variance, VARIANCE, tolerance * VARIANCE, `${name} on ${zero.name}`);
      }
    }
  });

  test('on the rectified flow DDIM is Euler’s method in time, and Heun and EDM are Heun’s, also from pure noise', () => {
    const schedule = continuousSchedule('flow');
    const velocity = (x: ReturnType<typeof tensor>, t: number) => x.mul(0.3 + t).add(0.2);
    const made = (name: SamplerName) =>
      runSampler(
        createSampler(name, { timesteps: [1, 0.7, 0.4, 0.1] }).sample(
          predictor('flow', velocity),
          schedule,
          tensor([1.5]),
          new Rng(0),
        ),
      ).item();
    const v = (y: number, t: number) => y * (0.3 + t) + 0.2;
    let [euler, heun] = [1.5, 1.5];
    for (const [t, to] of [
      [1, 0.7],
      [0.7, 0.4],
      [0.4, 0.1],
      [0.1, 0],
    ] as const) {
      const [h, slope] = [to - t, v(heun, t)];
      euler += h * v(euler, t);
      heun += to === 0 ? h * slope : (h / 2) * (slope + v(heun + h * slope, to));
    }
    for (const name of ['ddim', 'euler'] as const) near(made(name), euler, 1e-13, name);
    for (const name of ['heun', 'edm'] as const) near(made(name), heun, 1e-13, name);
  });

  test('on the flow Karras’ grid is a grid of times, from pure noise to the least noise', () => {
    for (const schedule of [continuousSchedule('flow'), continuousSchedule('flow', { tMax: 0.9 })]) {
      const levels = spacedLevels(schedule, { steps: 6, spacing: 'karras', end: 'first' });
      const times = karrasSigmas(7, schedule.tMin, schedule.tMax);
      for (const [i, { t }] of levels.entries()) near(t, times[i]!, 1e-14, `time ${i}`);
    }
  });

  test('the last steps have a lower order if the option says so', () => {
    const make = (options: object) =>
      affineMap(createSampler('dpm-solver-2m', { end: 'first', ...options }), VP, MEAN, VARIANCE).A;
    assert.is(make({ steps: 14 }), make({ steps: 14, lowerOrderFinal: true }));
    assert.is(make({ steps: 15 }), make({ steps: 15, lowerOrderFinal: false }));
    assert.ok(make({ steps: 14 }) !== make({ steps: 14, lowerOrderFinal: false }));
  });

  test('levels or their times can be given as options', () => {
    const schedule = DiscreteSchedule.fromSigmas([0.1, 1, 10], { timesteps: [7, 70, 700] });
    const asked: number[] = [];
    const model = {
      predicts: 'eps' as const,
      predict(x: ReturnType<typeof tensor>, t: number) {
        asked.push(t);
        return x.mul(0);
      },
    };
    const run = (options: object) =>
      runSampler(createSampler('ddim', options).sample(model, schedule, tensor([5]), new Rng(0)));
    assert.is(run({}).item(), 5);
    assert.equal(asked, [700, 70, 7]);
    run({ timesteps: [70] });
    assert.equal(asked.slice(3), [70]);
    near(lambda(schedule.level(7)), Math.log(10), 1e-12);
    near(transition(schedule.level(70), schedule.level(7)).beta, 0.99, 1e-12);
  });
});
