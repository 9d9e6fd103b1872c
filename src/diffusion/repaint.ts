/**
 * RePaint: inpainting by a model that was trained without masks. Every step of the sampler makes all of the data. What is
 * known then replaces what was made, with the noise of the new level:
 *
 *   x_to = made by the sampler where the mask is not 0, else alpha_to·known + sigma_to·eps
 *
 * Made and known parts do not fit each other after one such step. So the step is repeated `resamples` times: noise leads
 * back to the level that it came from, x_from ~ q(x_from | x_to), and the sampler makes it again. The pairs of steps are
 * Langevin dynamics at that level, which bring both parts together. The last step, to the data, is made once.
 *
 * Each step is a run of the sampler of its own, over two levels. A multistep solver therefore takes its first step, of
 * order 1, each time. `edm` counts `churn` by run, so here by step.
 *
 * Order 1 in the steps, and only with resampling: with one sample a step the made part is biased on data whose parts
 * depend on each other. Left out on purpose: jumps over several levels.
 *
 * Source: Lugmayr, Danelljan, Romero, Yu, Timofte and Van Gool, "RePaint: inpainting using denoising diffusion
 * probabilistic models" (2022), algorithm 1, with jump length 1.
 */
import { scope } from '../autograd/tape.ts';
import { withDefaults } from '../options.ts';
import { checkRng, type Rng } from '../random/rng.ts';
import { where } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkWhole } from './check.ts';
import { combine } from './combine.ts';
import { type NoiseLevel, transition } from './level.ts';
import {
  createSampler,
  type Sampler,
  type SamplerName,
  type SamplersOptions,
  type SampleStep,
} from './samplers/index.ts';

/** What is known of the samples, and how often to resample. */
export interface Inpainting {
  /** The known data, of a shape that broadcasts over the batch. Only their values where the mask is 0 are used. */
  readonly known: Tensor;
  /** 0 where the data are known, of a shape that broadcasts over the batch. */
  readonly mask: Tensor;
  /** How often each step is made. Default 10, as in the paper. */
  readonly resamples?: number;
}

/**
 * The sampler of that name with its options, which keeps to what is known.
 * @throws ValueError for resamples that are no whole number >= 1, and as `createSampler`
 */
export function repaint<N extends SamplerName>(
  name: N,
  options: SamplersOptions[N],
  inpainting: Inpainting,
): Sampler {
  const { known, mask, resamples } = withDefaults('repaint', inpainting, {
    known: undefined,
    mask: undefined,
    resamples: 10,
  });
  checkWhole('repaint: resamples', resamples, 1);
  const whole = createSampler(name, options);
  const between = (levels: readonly NoiseLevel[]) =>
    createSampler(name, { ...options, strength: undefined, levels });
  return {
    name: `repaint, ${name}`,
    order: 1,
    stochastic: true,
    levels: (schedule) => whole.levels(schedule),
    *sample(model, schedule, x, rng) {
      checkRng('repaint', rng);
      const levels = whole.levels(schedule);
      const pairs = levels.slice(1).map((to, i) => [levels[i], to] as const);
      const repeats = pairs.map(([, to]) => (to.sigma > 0 ? resamples : 1));
      const steps = repeats.reduce((sum, n) => sum + n, 0);
      const [state, x0] = [x.keep(), x.emptyOnHeap(x.shape)];
      let [step, evaluations, finished] = [0, 0, false];
      try {
        for (const [i, [from, to]] of pairs.entries()) {
          for (let again = 0; again < repeats[i]; again++) {
            if (again > 0) scope(() => renoise(state, from, to, rng));
            const run = between([from, to]).sample(model, schedule, state, rng);
            // Two levels are one step.
            const { value: made } = run.next() as IteratorYieldResult<SampleStep>;
            scope(() => state.copyFrom(where(mask, made.x, noised(made.x, known, to, rng))));
            x0.copyFrom(made.x0);
            evaluations += made.evaluations;
            run.return(state);
            yield { step: ++step, steps, level: to, x: state, x0, evaluations };
          }
        }
        finished = true;
        return state;
      } finally {
        x0.dispose();
        if (!finished) state.dispose();
      }
    },
  };
}

/** Known data at a level, of x's shape. */
function noised(x: Tensor, known: Tensor, { alpha, sigma }: NoiseLevel, rng: Rng): Tensor {
  if (sigma === 0) return known;
  return rng.normalInto(x.empty(x.shape)).mul(sigma).add(known.mul(alpha));
}

/** From a level back to a noisier one, in place: a sample of q(x_from | x_to). */
function renoise(x: Tensor, from: NoiseLevel, to: NoiseLevel, rng: Rng): void {
  const noise = rng.normalInto(x.empty(x.shape));
  combine(x, [from.alpha / to.alpha, x], [Math.sqrt(transition(from, to).beta), noise]);
}
