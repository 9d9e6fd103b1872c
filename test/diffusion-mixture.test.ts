/**
 * Samples compared with exact distributions. Stochastic samplers on Gaussian data are within four standard errors of
 * their closed form. All samplers run on a mixture of Gaussians. Further tests: the reverse SDE by the solvers of the
 * SDE laboratory, likelihoods by the ODE, guidance, memory, cost and bad input. The backend is float32 WebAssembly,
 * unless a test selects another.
 */
import * as assert from 'uvu/assert';
import { scope, tapeLength } from '../src/autograd/tape.ts';
import { backend, setBackend } from '../src/backend/backend.ts';
import { EIGHT_CENTRES, TOY_SETS, type ToySet, toySet } from '../src/data/toy.ts';
import { continuousSchedule } from '../src/diffusion/continuous-schedule.ts';
import { createSchedule } from '../src/diffusion/discrete-schedule.ts';
import { GaussianMixture, gaussian } from '../src/diffusion/gaussian-mixture.ts';
import { type ConditionalModel, classifierFree, classifierGuided } from '../src/diffusion/guidance.ts';
import { odeLikelihood } from '../src/diffusion/likelihood.ts';
import { scalingsAt } from '../src/diffusion/preconditioning.ts';
import { PREDICTIONS, type Prediction, predictor } from '../src/diffusion/prediction.ts';
import { probabilityFlow, reverseSde, score } from '../src/diffusion/process.ts';
import {
  createSampler,
  runSampler,
  type SamplerName,
  type SamplersOptions,
  startNoise,
} from '../src/diffusion/samplers/index.ts';
import type { Threshold } from '../src/diffusion/threshold.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Linear } from '../src/nn/linear.ts';
import { Rng } from '../src/random/rng.ts';
import type { SDE, SdeSolver } from '../src/sde/sde.ts';
import { eulerMaruyama } from '../src/sde/solvers/euler-maruyama.ts';
import { odeRk4 } from '../src/sde/solvers/noise-free.ts';
import { full, tensor, zeros } from '../src/tensor/create.ts';
import { cat } from '../src/tensor/functions.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { affineMap, push } from './diffusion-affine.ts';
import { suite } from './suite.ts';

const near = (value: number, expected: number, tolerance: number, what = '') =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${what}: ${value} is not ${expected} ± ${tolerance}`);

function refused(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error: Error) => error instanceof ValueError && message.test(error.message));
}

const MIXTURE = new GaussianMixture([
  { weight: 0.5, mean: [1, 0.5], variance: [0.02, 0.05] },
  { weight: 0.3, mean: [-1, 0.8], variance: 0.03 },
  { weight: 0.2, mean: [0, -1.2], variance: [0.06, 0.02] },
]);

/** Mean, variance and the share of samples nearest to each component's mean, within four standard errors. */
function isMixture(x: Tensor, what: string, standardErrors = 4): void {
  const values = x.toTypedArray();
  const n = values.length / 2;
  const { mean, variance } = MIXTURE.moments();
  for (const j of [0, 1]) {
    let [m1, m2, m4] = [0, 0, 0];
    for (let i = 0; i < n; i++) m1 += values[2 * i + j]! / n;
    for (let i = 0; i < n; i++) {
      const square = (values[2 * i + j]! - m1) ** 2;
      m2 += square / n;
      m4 += (square * square) / n;
    }
    near(m1, mean[j]!, standardErrors * Math.sqrt(m2 / n), `${what}, mean ${j}`);
    near(m2, variance[j]!, standardErrors * Math.sqrt((m4 - m2 * m2) / n), `${what}, variance ${j}`);
  }
  for (const [k, weight] of MIXTURE.weights.entries()) {
    let inside = 0;
    for (let i = 0; i < n; i++) {
      const distances = MIXTURE.means.map(
        (m) => (values[2 * i]! - m[0]!) ** 2 + (values[2 * i + 1]! - m[1]!) ** 2,
      );
      if (distances[k] === Math.min(...distances)) inside++;
    }
    const error = Math.sqrt((weight * (1 - weight)) / n);
    near(inside / n, weight, standardErrors * error, `${what}, share of component ${k}`);
  }
}

/** Runs a solver of the SDE laboratory over [0, time]. */
function solve(solver: SdeSolver, sde: SDE, x: Tensor, time: number, steps: number, rng: Rng): Tensor {
  const state = x.keep();
  const dt = time / steps;
  for (let i = 0; i < steps; i++) {
    scope(() => {
      const dW = rng.normal(x.shape).mul(Math.sqrt(dt));
      state.copyFrom(solver.step(sde, state, i * dt, dt, dW));
    });
  }
  return state;
}

suite('diffusion: distributions', (test) => {
  setBackend('wasm');

  const STOCHASTIC: readonly { [N in SamplerName]: readonly [N, SamplersOptions[N], number] }[SamplerName][] =
    [
      ['ddpm', {}, 1],
      ['ddpm', { variance: 'large' }, 1],
      ['ddim', { eta: 0.6 }, 1],
      ['edm', { churn: 5 }, 1],
      ['dpm-solver-sde-2m', {}, 1],
      ['dpm-solver-sde-2m', { variant: 'heun' }, 1],
      ['predictor-corrector', { stepSize: 0.05, corrections: 2 }, 3],
      ['annealed-langevin', { stepSize: 0.1, corrections: 3 }, 3],
    ];
  for (const [name, options, perStep] of STOCHASTIC) {
    test(`${name} ${JSON.stringify(options)} has the mean and variance of its closed form`, () => {
      const [mean, variance, n, steps] = [0.7, 0.2, 40_000, 12];
      const schedule = createSchedule('cosine', 200);
      const sampler = createSampler(name, { steps, ...options });
      setBackend('reference');
      const wanted = push(affineMap(sampler, schedule, mean, variance, perStep * steps), 0, 1);
      setBackend('wasm');
      const rng = new Rng(name);
      const model = gaussian([mean], variance).predictor(schedule);
      const x = runSampler(sampler.sample(model, schedule, startNoise(schedule, [n, 1], rng), rng));
      const values = x.toTypedArray();
      let [m1, m2] = [0, 0];
      for (const value of values) m1 += value / n;
      for (const value of values) m2 += (value - m1) ** 2 / n;
      near(m1, wanted.mean, 4 * Math.sqrt(wanted.variance / n), 'mean');
      near(m2, wanted.variance, 4 * wanted.variance * Math.sqrt(2 / n), 'variance');
    });
  }

  const EXACT: readonly { [N in SamplerName]: readonly [N, SamplersOptions[N]] }[SamplerName][] = [
    ['ddpm', { steps: 1000 }],
    ['ddim', { steps: 500 }],
    ['heun', { steps: 60, spacing: 'karras' }],
    ['edm', { steps: 80, churn: 20 }],
    ['dpm-solver-2s', { steps: 60, spacing: 'log-snr' }],
    ['dpm-solver-2m', { steps: 100, spacing: 'log-snr' }],
    ['dpm-solver-sde-2m', { steps: 200, spacing: 'log-snr' }],
    ['unipc', { steps: 80, spacing: 'log-snr' }],
    ['predictor-corrector', { steps: 250, stepSize: 0.01 }],
  ];
  for (const [name, options] of EXACT) {
    test(`${name} ${JSON.stringify(options)} makes samples of a mixture of Gaussians`, () => {
      const schedule = createSchedule('linear', 1000);
      const rng = new Rng(`mixture ${name}`);
      const sampler = createSampler(name, options);
      // Fewer samples of the long runs
      const samples = (options.steps ?? 0) > 200 ? 2000 : 4000;
      const start = startNoise(schedule, [samples, 2], rng);
      isMixture(runSampler(sampler.sample(MIXTURE.predictor(schedule), schedule, start, rng)), name);
    });
  }

  test('the mixture’s own samples pass the same test, and a biased set does not', () => {
    isMixture(MIXTURE.sample(4000, new Rng('own')), 'own');
    let refusedIt = false;
    try {
      isMixture(MIXTURE.sample(4000, new Rng('own')).mul(1.05), 'stretched');
    } catch {
      refusedIt = true;
    }
    assert.ok(refusedIt, 'samples stretched by a twentieth were taken for the mixture’s');
  });

  test('every kind of prediction leads to the same samples', () => {
    setBackend('reference');
    for (const schedule of [createSchedule('linear'), continuousSchedule('flow', { tMax: 0.99 })]) {
      const start = new Rng(1).normal([6, 2]);
      const made = PREDICTIONS.map((kind) => {
        const model = predictor(kind, (x, t) => {
          const level = schedule.level(t);
          const x0 = MIXTURE.denoise(x, level);
          const eps = x.sub(x0.mul(level.alpha)).div(level.sigma);
          if (kind === 'x0') return x0;
          if (kind === 'eps') return eps;
          if (kind === 'v') return eps.mul(level.alpha).sub(x0.mul(level.sigma));
          if (kind === 'score') return eps.mul(-1 / level.sigma);
          if (kind === 'flow') return eps.sub(x0);
          // EDM's target is (x0 - skip·x)/out.
          const { skip, out } = scalingsAt(level);
          return x0.sub(x.mul(skip)).div(out);
        });
        const sampler = createSampler('ddim', { steps: 12, threshold: 'clip', spacing: 'linspace' });
        return runSampler(sampler.sample(model, schedule, start, new Rng(0))).toTypedArray();
      });
      for (const other of made) for (const [i, v] of other.entries()) near(v, made[0]![i]!, 1e-10);
    }
    setBackend('wasm');
  });

  test('a sampler works on any shape, on either backend with the same numbers', () => {
    const mean = [0.1, -0.4, 0.9, 0.2, 0.5, -1];
    const schedule = createSchedule('cosine', 100);
    const start = Array.from({ length: 12 }, (_, i) => Math.cos(7 * i));
    const run = (name: SamplerName, shape: number[]) => {
      const sampler = createSampler(name, { steps: 10 });
      const model = gaussian(mean, 0.3).predictor(schedule);
      return runSampler(sampler.sample(model, schedule, tensor(start, shape), new Rng(5)));
    };
    for (const name of ['ddpm', 'dpm-solver-2m', 'unipc', 'heun', 'predictor-corrector'] as const) {
      setBackend('reference');
      const exact = run(name, [2, 6]).toTypedArray();
      setBackend('wasm');
      for (const shape of [
        [2, 6],
        [2, 3, 2],
        [2, 1, 3, 2],
      ]) {
        const x = run(name, shape);
        assert.equal(x.shape, shape);
        for (const [i, value] of x.toTypedArray().entries()) near(value, exact[i]!, 3e-5, `${name} ${shape}`);
      }
    }
  });

  test('the reverse SDE and the probability flow by the laboratory’s solvers agree with the special samplers', () => {
    const schedule = continuousSchedule('vp', { tMin: 0.01 });
    const model = MIXTURE.predictor(schedule);
    const rng = new Rng('reverse');
    const start = rng.normal([2000, 2]);
    const time = schedule.tMax - schedule.tMin;
    const toData = (x: Tensor) => scope(() => MIXTURE.denoise(x, schedule.level(schedule.tMin)).keep());
    isMixture(
      toData(solve(eulerMaruyama, reverseSde(model, schedule), start, time, 500, rng)),
      'reverse SDE',
    );
    setBackend('reference');
    const few = tensor([
      [0.4, -1],
      [-0.2, 2],
    ]);
    const flow = solve(odeRk4, probabilityFlow(model, schedule), few, time, 300, rng).toTypedArray();
    const sampler = createSampler('unipc', { steps: 300, order: 3, spacing: 'log-snr', end: 'first' });
    const special = runSampler(sampler.sample(model, schedule, few, rng)).toTypedArray();
    for (const [i, value] of flow.entries()) near(value, special[i]!, 2e-5);
    setBackend('wasm');
  });

  test('the score of the mixture is the gradient of its log density', () => {
    setBackend('reference');
    const schedule = continuousSchedule('sub-vp');
    const level = schedule.level(0.3);
    const x = tensor([
      [0.2, -0.4],
      [1.2, 0.7],
      [-3, 2],
    ]);
    const leaf = x.detach().requireGrad();
    MIXTURE.logDensity(leaf, level).sum().backward();
    const own = MIXTURE.score(x, level).toTypedArray();
    const asked = score(MIXTURE.predictor(schedule), x, level).toTypedArray();
    for (const [i, value] of leaf.grad!.toTypedArray().entries()) {
      near(own[i]!, value, 1e-10);
      near(asked[i]!, value, 1e-10);
    }
    // Far from all components nothing overflows.
    const far = MIXTURE.logDensity(tensor([[1e4, -1e4]]), level).item();
    assert.ok(Number.isFinite(far) && far < -1e6);
    setBackend('wasm');
  });

  test('the likelihood by the ODE is the exact one, with an error of order 4 on Gaussian data', () => {
    setBackend('reference');
    const schedule = continuousSchedule('vp', { tMin: 0.01 });
    const [mean, variance] = [
      [0.5, -0.2],
      [0.3, 0.08],
    ];
    const x = tensor([
      [0.4, -0.1],
      [-0.6, 0.4],
    ]);
    const [first, last] = [schedule.level(schedule.tMin), schedule.level(schedule.tMax)];
    const [s0, s1] = [first.sigma / first.alpha, last.sigma / last.alpha];
    // The flow scales y - mean by the ratio of the standard deviations. The prior is N(0, 1/alpha²) in y.
    const exact = [0, 1].map((i) => {
      let sum = 0;
      for (const j of [0, 1]) {
        const y = x.toTypedArray()[2 * i + j]! / first.alpha;
        const [v0, v1] = [variance[j]! + s0 * s0, variance[j]! + s1 * s1];
        const end = mean[j]! + Math.sqrt(v1 / v0) * (y - mean[j]!);
        const std = 1 / last.alpha;
        sum += -0.5 * (end / std) ** 2 - 0.5 * Math.log(2 * Math.PI * std * std) + 0.5 * Math.log(v1 / v0);
      }
      return sum;
    });
    const model = gaussian(mean, variance).predictor(schedule);
    const run = (steps: number) => odeLikelihood(model, schedule, x, { steps }).logLikelihood;
    const fine = run(400);
    for (const i of [0, 1]) near(fine[i]!, exact[i]!, 1e-7);
    const errors = [20, 40].map((steps) => Math.abs(run(steps)[0]! - exact[0]!));
    assert.ok(errors[0]! / errors[1]! > 12, 'the integrator has order 4');
    // For the mixture the remaining error is the mismatch of the prior at t = 1.
    const { logLikelihood, latent } = odeLikelihood(MIXTURE.predictor(schedule), schedule, x, { steps: 200 });
    const density = MIXTURE.logDensity(x, first).toTypedArray();
    for (const i of [0, 1]) {
      near(logLikelihood[i]! - 2 * Math.log(first.alpha), density[i]!, 0.03);
    }
    assert.equal(latent.shape, [2, 2]);
    // Hutchinson's estimate is exact in the mean: 60 probes, four standard errors.
    const rng = new Rng('probes');
    const estimates = Array.from({ length: 60 }, () => {
      const options = { steps: 20, divergence: 'hutchinson', rng } as const;
      return odeLikelihood(MIXTURE.predictor(schedule), schedule, x, options).logLikelihood[0]!;
    });
    const average = estimates.reduce((sum, v) => sum + v, 0) / 60;
    const spread = estimates.reduce((sum, v) => sum + (v - average) ** 2, 0) / 59;
    const coarse = odeLikelihood(MIXTURE.predictor(schedule), schedule, x, { steps: 20 }).logLikelihood[0]!;
    near(average, coarse, 4 * Math.sqrt(spread / 60) + 1e-9);
    assert.ok(spread > 1e-8);
    refused(() => odeLikelihood(model, schedule, x, { divergence: 'hutchinson' }), /expected a generator/);
    refused(
      () => odeLikelihood(model, schedule, x, { steps: 0 }),
      /likelihood: expected a whole number of steps/,
    );
    setBackend('wasm');
  });

  const COMPONENTS = MIXTURE.means.map((mean, k) => gaussian(mean, MIXTURE.variances[k]!));

  test('guidance by a classifier’s gradient is exact for the exact classifier', () => {
    setBackend('reference');
    const schedule = createSchedule('cosine', 100);
    const posterior = (k: number) => (x: Tensor, t: number) => {
      const level = schedule.level(t);
      const own = COMPONENTS[k]!.logDensity(x, level).add(Math.log(MIXTURE.weights[k]!));
      return own.sub(MIXTURE.logDensity(x, level));
    };
    const x = new Rng(3).normal([5, 2]);
    for (const kind of ['x0', 'eps', 'v'] as const satisfies Prediction[]) {
      const model = predictor(kind, (y, t) => {
        const level = schedule.level(t);
        const x0 = MIXTURE.denoise(y, level);
        const eps = y.sub(x0.mul(level.alpha)).div(level.sigma);
        if (kind === 'x0') return x0;
        return kind === 'eps' ? eps : eps.mul(level.alpha).sub(x0.mul(level.sigma));
      });
      for (const k of [0, 2]) {
        // ln p(x) + ln p(k|x) = ln p(x|k) + constant: the guided score is the component's own.
        const guided = classifierGuided(model, schedule, posterior(k));
        for (const t of [5, 60]) {
          const level = schedule.level(t);
          const made = score(guided, x, level).toTypedArray();
          const wanted = COMPONENTS[k]!.score(x, level).toTypedArray();
          for (const [i, value] of made.entries()) near(value, wanted[i]!, 1e-8 * (1 + Math.abs(wanted[i]!)));
        }
      }
    }
    setBackend('wasm');
  });

  test('guidance adds no gradient to the parameters of the classifier', () => {
    const schedule = createSchedule('cosine', 20);
    const layer = new Linear(2, 1, { rng: new Rng(1) });
    const guided = classifierGuided(MIXTURE.predictor(schedule), schedule, (x) => layer.forward(x), {
      parameters: layer.parameters(),
    });
    const before = tapeLength();
    scope(() => guided.predict(tensor([[0.3, 0.1]]), 10));
    assert.is(tapeLength(), before);
    assert.is(layer.weight.grad, null);
    assert.is(layer.weight.requiresGrad, true);
  });

  const conditional: ConditionalModel = {
    predicts: 'x0',
    classes: 3,
    predict(x, t, labels) {
      const level = createSchedule('cosine', 100).level(t);
      const rows = labels.map((label, i) => {
        const data = label === null ? MIXTURE : COMPONENTS[label]!;
        return data.denoise(x.slice([i], [i + 1]), level);
      });
      return cat(rows);
    },
  };

  test('classifier-free guidance mixes the two predictions', () => {
    const x = new Rng(2).normal([4, 2]);
    const at = (scale: number) =>
      classifierFree(conditional, [1, 1, 1, 1], { scale }).predict(x, 50).toTypedArray();
    const [none, one, three] = [at(0), at(1), at(3)];
    const level = createSchedule('cosine', 100).level(50);
    for (const [i, value] of MIXTURE.denoise(x, level).toTypedArray().entries()) near(none[i]!, value, 1e-6);
    for (const [i, value] of COMPONENTS[1]!.denoise(x, level).toTypedArray().entries())
      near(one[i]!, value, 1e-6);
    for (const i of none.keys()) near(three[i]!, none[i]! + 3 * (one[i]! - none[i]!), 1e-5);
    const unconditional = { ...conditional, classes: 0 };
    refused(
      () => classifierFree(unconditional, [null], { scale: 2 }),
      /expected a model with labels, got an unconditional one with scale 2/,
    );
    refused(() => classifierFree(unconditional, [1]), /an unconditional one with labels/);
    refused(() => classifierFree(conditional, [3]), /expected labels from 0 to 2, got 3/);
    refused(() => classifierFree(conditional, [0], { scale: Number.NaN }), /guidance: scale/);
    assert.throws(
      () => classifierFree(conditional, [0, 1]).predict(x, 50),
      (error: Error) => error instanceof ShapeError && /2 samples, one per label/.test(error.message),
    );
  });

  test('dynamic thresholding scales by each sample’s own quantile', () => {
    const schedule = createSchedule('linear');
    const data = tensor([
      [4, -2, 1, 0, 0.5],
      [0.2, -0.9, 0.1, 0, 0.5],
    ]);
    const model = predictor('x0', () => data);
    const run = (threshold: Threshold) =>
      [
        ...runSampler(
          createSampler('ddim', { steps: 1, threshold }).sample(model, schedule, zeros([2, 5]), new Rng(0)),
        ).toTypedArray(),
      ].map((v) => Math.round(v * 1e6) / 1e6);
    // The quantile 0.75 of 0, 0.5, 1, 2, 4 is 2; that of the second is below 1.
    assert.equal(run({ kind: 'dynamic', quantile: 0.75 }), [1, -1, 0.5, 0, 0.25, 0.2, -0.9, 0.1, 0, 0.5]);
    // A low quantile, for which all values are sorted, against a high one in the larger batch
    const many = new Rng('many').normal([3, 400]).mul(3);
    const sizes = [...many.toTypedArray()].map(Math.abs);
    for (const quantile of [0.3, 0.9, 0.995, 1]) {
      const made = runSampler(
        createSampler('ddim', { steps: 1, threshold: { kind: 'dynamic', quantile } }).sample(
          predictor('x0', () => many),
          schedule,
          zeros([3, 400]),
          new Rng(0),
        ),
      ).toTypedArray();
      for (const b of [0, 1, 2]) {
        const sorted = sizes.slice(400 * b, 400 * (b + 1)).sort((p, q) => p - q);
        const at = quantile * 399;
        const low = sorted[Math.floor(at)]!;
        const s = Math.max(1, low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] ?? low) - low));
        for (const i of [400 * b, 400 * b + 77, 400 * b + 399]) {
          const value = many.toTypedArray()[i]!;
          near(made[i]!, Math.min(Math.max(value, -s), s) / s, 1e-6, `quantile ${quantile}`);
        }
      }
    }
    assert.equal(run('clip').slice(0, 3), [1, -1, 1]);
    assert.equal(run({ kind: 'clip', limit: 3 }).slice(0, 3), [3, -2, 1]);
    refused(() => createSampler('ddim', { threshold: { kind: 'clip', limit: 0 } }), /limit > 0/);
    refused(
      () => createSampler('ddim', { threshold: { kind: 'dynamic', quantile: 2 } }),
      /quantile in \(0, 1\]/,
    );
  });

  test('memory is constant over the steps, all of it is freed, and the start does not change', () => {
    const schedule = createSchedule('linear');
    const layer = new Linear(6, 6, { rng: new Rng(4) });
    const model = predictor('eps', (x) => layer.forward(x).tanh());
    const x = new Rng(1).normal([32, 6]);
    const start = [...x.toTypedArray()];
    const names = ['ddpm', 'ddim', 'heun', 'edm', 'dpm-solver-2m', 'unipc', 'predictor-corrector'] as const;
    for (const name of names) {
      const { heap } = backend();
      const before = heap.blocks;
      const tape = tapeLength();
      const during = new Set<number>();
      const run = createSampler(name, { steps: 30 }).sample(model, schedule, x, new Rng(1));
      let last: Tensor | null = null;
      for (const step of run) {
        during.add(heap.usedBytes);
        last = step.x;
        assert.is(step.steps, 30);
      }
      assert.is(during.size, 1, `${name}: ${[...during]}`);
      assert.is(heap.blocks, before + 1, name);
      assert.ok(last!.toTypedArray().every(Number.isFinite));
      last!.dispose();
      assert.is(tapeLength(), tape);
      const stopped = createSampler(name, { steps: 30 }).sample(model, schedule, x, new Rng(1));
      for (const { step } of stopped) if (step === 3) break;
      assert.is(heap.blocks, before, `${name} stopped`);
    }
    assert.equal([...x.toTypedArray()], start);
  });

  test('steps report the number of evaluations of the model', () => {
    const schedule = createSchedule('linear');
    const model = predictor('eps', (x) => x.mul(0.1));
    const evaluations = (name: SamplerName, options = {}) =>
      [
        ...createSampler(name, { steps: 4, ...options }).sample(model, schedule, full([2], 1), new Rng(0)),
      ].map((s) => s.evaluations);
    assert.equal(evaluations('ddim'), [1, 2, 3, 4]);
    assert.equal(evaluations('unipc'), [1, 2, 3, 4]);
    assert.equal(evaluations('heun'), [2, 4, 6, 7]);
    assert.equal(evaluations('dpm-solver-2s', { inner: 'grid' }), [1, 2, 3, 4]);
  });

  test('an unknown name is refused with the nearest name', () => {
    refused(() => createSampler('dim' as SamplerName), /got "dim"\. Did you mean "ddim"\?/);
    refused(() => createSampler('unipc', { order: 4 as 3 }), /unipc: expected an order 1, 2 or 3, got 4/);
    refused(() => createSampler('unipc', { variant: 'bh3' as 'bh2' }), /expected a variant bh1 or bh2/);
    refused(() => createSampler('ddim', { eta: 1.5 }), /ddim: eta: expected a number, from 0 to 1, got 1.5/);
    refused(
      () => createSampler('ddpm', { variance: 'huge' as 'large' }),
      /small, large or learned, got "huge"/,
    );
    refused(() => createSampler('edm', { churn: -1 }), /edm: churn/);
    refused(() => createSampler('dpm-solver-2m', { variant: 'x' as 'heun' }), /midpoint or heun, got "x"/);
    refused(() => createSampler('annealed-langevin', { corrections: 0 }), /corrections: .* 1 or more, got 0/);
    refused(
      () => predictor('epsilon' as Prediction, (x) => x),
      /expected one of eps, x0, v, score, flow, edm, got "epsilon"/,
    );
    const schedule = createSchedule('linear', 100);
    const sample = (name: SamplerName, options: object, predicts: Prediction = 'eps') => {
      const model = predictor(predicts, (x) => x);
      return () =>
        runSampler(createSampler(name, options).sample(model, schedule, zeros([1, 2]), new Rng(0)));
    };
    refused(sample('ddpm', { steps: 101 }), /at most 100 sampling steps/);
    refused(sample('ddpm', { variance: 'learned' }), /expected a model that predicts its variance/);
    const zero = createSchedule('linear', 100, { zeroTerminalSnr: true });
    refused(
      () =>
        runSampler(
          createSampler('ddim').sample(
            predictor('eps', (x) => x),
            zero,
            zeros([1]),
            new Rng(0),
          ),
        ),
      /expected one that determines x0, got eps at t = 99, .* at SNR 0 a model must predict v, x0 or flow/,
    );
    assert.throws(
      () =>
        runSampler(
          createSampler('ddim').sample(
            predictor('eps', () => zeros([3])),
            schedule,
            zeros([1, 2]),
            new Rng(0),
          ),
        ),
      (error: Error) =>
        error instanceof ShapeError && /prediction of shape \[1,2\], got \[3\]/.test(error.message),
    );
    refused(() => new GaussianMixture([]), /at least one component/);
    refused(() => gaussian([0], -1), /variances >= 0/);
  });

  test('toy sets have their means and bounds, and unknown names are refused', () => {
    for (const name of TOY_SETS) {
      const values = toySet(name, 20_000, new Rng(name)).toTypedArray();
      for (const j of [0, 1]) {
        let mean = 0;
        for (let i = j; i < values.length; i += 2) mean += values[i]! / 20_000;
        // The swirl's middle is not at 0: its mean is ∫ 4r²·cos(3πr) dr = -8/(9π²), and 4/(3π) - 16/(27π³) in y.
        const wanted =
          name !== 'swirl'
            ? 0
            : j === 0
              ? -8 / (9 * Math.PI ** 2)
              : 4 / (3 * Math.PI) - 16 / (27 * Math.PI ** 3);
        near(mean, wanted, 4 * Math.sqrt(1.2 / 20_000), `${name} ${j}`);
      }
      assert.ok(values.every((v: number) => Math.abs(v) < 2.5));
    }
    const moons = toySet('moons', 500, new Rng(1), { noise: 0 }).toTypedArray();
    for (let i = 0; i < 1000; i += 2) {
      const [x, y] = [moons[i]!, moons[i + 1]!];
      const upper = Math.hypot(x + 0.5, y + 0.25);
      const lower = Math.hypot(x - 0.5, y - 0.25);
      near(Math.min(Math.abs(upper - 1), Math.abs(lower - 1)), 0, 1e-6);
    }
    assert.is(EIGHT_CENTRES.length, 8);
    refused(() => toySet('moon' as ToySet, 5, new Rng(1)), /Did you mean "moons"\?/);
    refused(() => toySet('eight', 0, new Rng(1)), /expected a whole number of points >= 1, got 0/);
    refused(() => toySet('eight', 5, new Rng(1), { noise: -1 }), /noise >= 0/);
  });
});
