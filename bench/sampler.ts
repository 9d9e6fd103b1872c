/**
 * The cost of samplers in addition to the network: 64 pictures of 784 pixels, ten steps, with a predictor that always
 * returns the same tensor at once. Below each sampler is the network of `langevin train diffusion`, with as many
 * evaluations. `of model` is the sampler's own arithmetic divided by the network's time. There is no twin, because
 * every sampler is a few linear combinations.
 */
import { noGrad, scope } from '../src/autograd/tape.ts';
import { createSchedule } from '../src/diffusion/discrete-schedule.ts';
import { type Predictor, predictor } from '../src/diffusion/prediction.ts';
import { createSampler, SAMPLERS, type SamplerName } from '../src/diffusion/samplers/index.ts';
import type { Threshold } from '../src/diffusion/threshold.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { DiffusionPipeline } from '../src/models/pipeline.ts';
import { Rng } from '../src/random/rng.ts';
import type { Case } from './harness.ts';
import { type Row, round } from './row.ts';
import type { Make, Subject } from './subject.ts';

const PICTURES = 64;
const SHAPE = [PICTURES, 28, 28, 1] as const;
const STEPS = 10;
const SCHEDULE = createSchedule('cosine', 1000);
/** The number of evaluations of the network, after as many for the warm-up. The best counts. */
const ASKED = { quick: 2, full: 20 };

const samplerCase =
  (sampler: SamplerName, threshold: Threshold, quick: boolean): Make =>
  (): Case => {
    const rng = new Rng(sampler);
    const [x, answer] = [rng.normal(SHAPE), rng.normal(SHAPE)];
    const kind = typeof threshold === 'string' ? threshold : threshold.kind;
    let evaluations = 0;
    const run = (model: Predictor) => {
      const made = createSampler(sampler, { steps: STEPS, threshold });
      const steps = made.sample(model, SCHEDULE, x, rng);
      for (;;) {
        const { done, value } = steps.next();
        if (done) return value.dispose();
        ({ evaluations } = value);
      }
    };
    const constant = predictor('x0', () => answer);
    return {
      name: `${sampler}, ${kind}`,
      shape: `${SHAPE[0]}x${SHAPE[1] * SHAPE[2] * SHAPE[3]}`,
      run: () => run(constant),
      parts: (row) => [network(row, evaluations, quick)],
    };
  };

/** The network's time for as many evaluations, measured right after the sampler's own. */
function network(whole: Row, evaluations: number, quick: boolean): Row {
  const rng = new Rng('network');
  const model = new DiffusionPipeline(new DiffusionMlp({ rng }), {
    schedule: 'cosine',
    steps: 1000,
    predicts: 'x0',
  });
  const x = rng.normal(SHAPE);
  const labels = Array.from({ length: PICTURES }, (_, i) => i % 10);
  const times = Array.from({ length: 2 * (quick ? ASKED.quick : ASKED.full) }, () => {
    const started = performance.now();
    scope(() => noGrad(() => model.predict(x, 500, labels)));
    return performance.now() - started;
  });
  model.network.dispose();
  x.dispose();
  const ms = Math.min(...times.slice(times.length / 2)) * evaluations;
  const { subject, shape, threads, numerics } = whole;
  const name = `${whole.name}: network`;
  return {
    subject,
    name,
    shape,
    threads,
    numerics,
    ms: round(ms),
    calls: evaluations,
    ofModel: round(whole.ms / ms),
  };
}

export const sampler: Subject = {
  name: 'sampler',
  title: 'Ten steps of each sampler without a network, and the network for as many evaluations.',
  cases: ({ quick }) => [
    ...SAMPLERS.filter((name) => name !== 'ddim-inversion').map((name) => samplerCase(name, 'clip', quick)),
    samplerCase('ddim', { kind: 'dynamic' }, quick),
  ],
};
