/**
 * The bits of every sampler on data whose optimal predictor has a closed form: 16 samples of four coordinates. Each
 * sampler runs with its default options and with each option that changes its arithmetic, in discrete and in continuous
 * time.
 */
import { noGrad } from '../../src/autograd/tape.ts';
import { continuousSchedule } from '../../src/diffusion/continuous-schedule.ts';
import { createSchedule } from '../../src/diffusion/discrete-schedule.ts';
import { GaussianMixture } from '../../src/diffusion/gaussian-mixture.ts';
import { type Predictor, predictor } from '../../src/diffusion/prediction.ts';
import {
  createSampler,
  runSampler,
  type SamplerName,
  type SamplersOptions,
  startNoise,
} from '../../src/diffusion/samplers/index.ts';
import type { NoiseSchedule } from '../../src/diffusion/schedule.ts';
import { Rng, type Seed } from '../../src/random/rng.ts';
import { Hash } from './hash.ts';

const data = new GaussianMixture([
  { weight: 0.5, mean: [0.8, -0.3, 0.1, 0], variance: [0.01, 0.04, 0.2, 0.05] },
  { weight: 0.3, mean: [-0.6, 0.5, 0, 0.7], variance: 0.03 },
  { weight: 0.2, mean: [0, 0.9, -0.8, -0.5], variance: 0.1 },
]);

/** The options with which each sampler runs, in addition to its defaults. */
const VARIANTS: { readonly [N in SamplerName]?: readonly SamplersOptions[N][] } = {
  ddpm: [{ variance: 'large' }],
  ddim: [{ eta: 0.5 }, { threshold: 'clip' }, { threshold: 'clip', epsilon: 'model' }],
  'ddim-inversion': [{ iterations: 2 }],
  edm: [{ churn: 5, noiseScale: 1.003 }],
  'dpm-solver-2s': [{ inner: 'grid' }],
  'dpm-solver-2m': [{ variant: 'heun', lowerOrderFinal: false }],
  'dpm-solver-sde-2m': [{ variant: 'heun' }],
  unipc: [{ order: 3, variant: 'bh1' }, { corrector: false }],
  'predictor-corrector': [{ corrections: 2, stepSize: 0.1 }],
  'annealed-langevin': [{ corrections: 3 }],
};

const STEPS = 12;

/** The optimal predictor of eps. With it a run converts between kinds of prediction too. */
const ofNoise = (schedule: NoiseSchedule): Predictor =>
  predictor('eps', (x, t) => {
    const level = schedule.level(t);
    return x.sub(data.denoise(x, level).mul(level.alpha)).mul(1 / level.sigma);
  });

export async function samplerBits(name: SamplerName, seed: Seed): Promise<string> {
  const hash = new Hash();
  const discrete = createSchedule('linear', 1000);
  const vp = continuousSchedule('vp');
  for (const [time, model, schedule] of [
    ['discrete', data.predictor(discrete), discrete],
    ['continuous', ofNoise(vp), vp],
  ] as const) {
    for (const [i, options] of [{}, ...(VARIANTS[name] ?? [])].entries()) {
      const rng = new Rng(seed).stream('samples');
      const start = startNoise(schedule, [16, 4], rng);
      const sampler = createSampler(name, { steps: STEPS, ...options });
      const x = noGrad(() => runSampler(sampler.sample(model, schedule, start, rng)));
      hash.tensor(`${time} ${i}`, x);
      x.dispose();
      start.dispose();
    }
  }
  return hash.digest();
}
