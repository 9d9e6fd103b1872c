/**
 * Compares the samplers with published numbers: the regression values in the tests of Hugging Face's diffusers (Apache
 * 2.0). Those tests run ten steps with the model x·t/(t + 1) from a fixed batch [4, 3, 8, 8], and state the sum or the
 * mean of |x| at the end. The comparison runs on both backends.
 */
import * as assert from 'uvu/assert';
import { type BackendName, setBackend } from '../src/backend/backend.ts';
import { namedBetas } from '../src/diffusion/betas.ts';
import { createSchedule, DiscreteSchedule } from '../src/diffusion/discrete-schedule.ts';
import { type NoiseLevel, noiseToSignal } from '../src/diffusion/level.ts';
import { type Prediction, predictor } from '../src/diffusion/prediction.ts';
import {
  createSampler,
  runSampler,
  type SamplerName,
  type SamplersOptions,
} from '../src/diffusion/samplers/index.ts';
import { spacedLevels } from '../src/diffusion/spacing.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { suite } from './suite.ts';

/** Element (b, rest) of the batch is (4·rest + b)/768. */
function batch(scale = 1) {
  const values = Float64Array.from({ length: 768 }, (_, i) => {
    const [b, rest] = [Math.floor(i / 192), i % 192];
    return (scale * (4 * rest + b)) / 768;
  });
  return tensor(values, [4, 3, 8, 8]);
}

interface Published<N extends SamplerName> {
  readonly sampler: N;
  readonly options: SamplersOptions[N];
  readonly predicts?: Prediction;
  readonly schedule?: DiscreteSchedule;
}

/** The sum of |x| after the run. */
function run<N extends SamplerName>(published: Published<N>): number {
  const { sampler, options, predicts = 'eps', schedule = createSchedule('linear') } = published;
  const model = predictor(predicts, (x, t) => x.mul(t / (t + 1)));
  const made = createSampler(sampler, options);
  return sumOfSizes(runSampler(made.sample(model, schedule, batch(), new Rng(0))));
}

suite('diffusion: published values', (test) => {
  for (const backend of ['reference', 'wasm'] as const satisfies BackendName[]) {
    const on = (name: string, body: () => void) =>
      test(`${name} (${backend})`, () => {
        setBackend(backend);
        body();
      });
    const close = (value: number, published: number, tolerance: number) =>
      assert.ok(Math.abs(value - published) < tolerance, `${value} is not ${published}`);
    const mean = (value: number, published: number) => close(value / 768, published, 1e-4);

    const ddim = { steps: 10, spacing: 'leading', threshold: 'clip', epsilon: 'model' } as const;

    // The data that this model predicts from this batch stay within [-1, 1]: nothing is clipped here.
    on('DDIM with the noise that the model predicts agrees with diffusers, for eps and v', () => {
      close(run({ sampler: 'ddim', options: ddim }), 172.0067, 1e-3);
      close(run({ sampler: 'ddim', options: ddim, predicts: 'v' }), 52.5302, 1e-3);
      const schedule = DiscreteSchedule.fromBetas(namedBetas('linear', 1000, { range: [0.01, 0.02] }));
      close(run({ sampler: 'ddim', options: ddim, schedule }), 149.8295, 1e-3);
    });

    // Song et al. (2021), equation 12, with eta 0: x_to = alpha_to·clip(x0) + sigma_to·eps, in plain numbers.
    on('DDIM clips the data, and keeps the noise that the model predicts', () => {
      const schedule = createSchedule('linear');
      // Not to the level without noise, where eps has no effect.
      const options = { ...ddim, end: 'first' } as const;
      const levels = spacedLevels(schedule, { steps: 10, spacing: 'leading', end: 'first' });
      let clipped = 0;
      const byHand = Array.from(batch(400).toTypedArray(), (x) => {
        for (const [i, { t, alpha, sigma }] of levels.slice(0, -1).entries()) {
          const eps = (x * t) / (t + 1);
          const x0 = (x - sigma * eps) / alpha;
          const kept = Math.min(1, Math.max(-1, x0));
          if (kept !== x0) clipped++;
          x = levels[i + 1].alpha * kept + levels[i + 1].sigma * eps;
        }
        return x;
      });
      assert.ok(clipped > 1000, `${clipped} predictions were clipped`);
      const model = predictor('eps', (x, t) => x.mul(t / (t + 1)));
      const sampled = (other: SamplersOptions['ddim']) =>
        runSampler(
          createSampler('ddim', { ...options, ...other }).sample(model, schedule, batch(400), new Rng(0)),
        );
      const largest = (values: ArrayLike<number>) =>
        Math.max(...byHand.map((value, i) => Math.abs(values[i] - value)));
      const error = largest(sampled({}).toTypedArray());
      assert.ok(error < 1e-4, `off by ${error}`);
      for (const other of [{ threshold: 'none' }, { epsilon: 'thresholded' }] as const) {
        const apart = largest(sampled(other).toTypedArray());
        assert.ok(apart > 0.1, `${JSON.stringify(other)} makes no difference`);
      }
    });

    // Its DPM-Solver and UniPC grids are linspace with one more point, and end at the level with the least noise.
    const grid = { steps: 10, spacing: 'linspace', end: 'first' } as const;

    on('DPM-Solver++ 2M agrees with diffusers, for eps and v and with dynamic thresholding', () => {
      const options = { ...grid, lowerOrderFinal: false };
      mean(run({ sampler: 'dpm-solver-2m', options }), 0.3301);
      mean(run({ sampler: 'dpm-solver-2m', options, predicts: 'v' }), 0.2251);
      const threshold = { kind: 'dynamic', quantile: 0.87, most: 0.5 } as const;
      mean(run({ sampler: 'dpm-solver-2m', options: { ...options, threshold } }), 1.1364);
    });

    on('DPM-Solver++ 2S over pairs of the grid agrees with diffusers, for eps and v', () => {
      const options = { ...grid, inner: 'grid' } as const;
      mean(run({ sampler: 'dpm-solver-2s', options }), 0.2791);
      mean(run({ sampler: 'dpm-solver-2s', options, predicts: 'v' }), 0.1453);
    });

    on('UniPC of order 2 with bh2 agrees with diffusers, for eps and v', () => {
      mean(run({ sampler: 'unipc', options: grid }), 0.2464);
      mean(run({ sampler: 'unipc', options: grid, predicts: 'v' }), 0.1014);
    });

    on('Euler’s method agrees with diffusers, on linear times and on Karras’ sigmas', () => {
      const schedule = DiscreteSchedule.fromBetas(namedBetas('linear', 1100, { range: [1e-4, 0.02] }));
      close(eulerLoop(schedule, linearLevels(schedule)), 10.0807, 1e-3);
      const karras = { steps: 10, spacing: 'karras' } as const;
      close(eulerLoop(schedule, spacedLevels(schedule, karras)), 124.523, 1e-2);
    });
  }
});

/** Ten equally spaced times and sigma 0. Between two entries of the table sigma is linear. */
function linearLevels({ sigmas }: DiscreteSchedule): NoiseLevel[] {
  const last = sigmas.length - 1;
  const levels = Array.from({ length: 10 }, (_, i): NoiseLevel => {
    const t = (last * (9 - i)) / 9;
    const k = Math.min(Math.floor(t), last - 1);
    const s = sigmas[k]! + (t - k) * (sigmas[k + 1]! - sigmas[k]!);
    const norm = Math.sqrt(1 + s * s);
    return { t, alpha: 1 / norm, sigma: s / norm };
  });
  return [...levels, { t: 0, alpha: 1, sigma: 0 }];
}

/**
 * The published loop replaces its sample x/alpha by the scaled one that the model is shown, at every step, and goes
 * on from there: so a step here is a run of its own, the state between two is multiplied by alpha once more, and the
 * model undoes the alpha that the sampler shows it.
 */
function eulerLoop(schedule: DiscreteSchedule, levels: readonly NoiseLevel[]): number {
  const first = levels[0]!;
  let x = batch(noiseToSignal(first) * first.alpha * first.alpha);
  for (let i = 1; i < levels.length; i++) {
    const [from, to] = [levels[i - 1]!, levels[i]!];
    const model = predictor('eps', (y, t) => y.mul(t / (t + 1) / from.alpha));
    const step = createSampler('euler', { levels: [from, to] });
    x = runSampler(step.sample(model, schedule, x, new Rng(0))).mul(to.alpha);
  }
  return sumOfSizes(x);
}

function sumOfSizes(x: Tensor): number {
  let sum = 0;
  for (const value of x.toTypedArray()) sum += Math.abs(value);
  return sum;
}
