/**
 * The cost of samplers without the network, for 64 pictures of 784 pixels and ten steps. The predictor always returns
 * the same tensor, without computing. The row below each sampler is the MLP of `langevin train diffusion` with the same
 * number of evaluations. `of model` is the sampler's time divided by the network's time. There is no twin, because every
 * sampler is a few linear combinations.
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
/** The number of measured evaluations of the network. The warm-up has the same number. The best time counts. */
const EVALUATIONS = { quick: 2, full: 20 };

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

/** The network's time for the same number of evaluations. It is measured directly after the sampler. */
function network(whole: Row, evaluations: number, quick: boolean): Row {
  const rng = new Rng('network');
  const model = new DiffusionPipeline(new DiffusionMlp({ rng }), {
    schedule: 'cosine',
    steps: 1000,
    predicts: 'x0',
  });
  const x = rng.normal(SHAPE);
  const labels = Array.from({ length: PICTURES }, (_, i) => i % 10);
  const times = Array.from({ length: 2 * (quick ? EVALUATIONS.quick : EVALUATIONS.full) }, () => {
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
  title: 'Ten steps of each sampler without a network, and the network with the same number of evaluations.',
  cases: ({ quick }) => [
    ...SAMPLERS.filter((name) => name !== 'ddim-inversion').map((name) => samplerCase(name, 'clip', quick)),
    samplerCase('ddim', { kind: 'dynamic' }, quick),
  ],
};
