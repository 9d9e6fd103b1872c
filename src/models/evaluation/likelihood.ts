/**
 * The negative log-likelihood of pictures under a diffusion model, in bits per dimension. This is the number of bits
 * per pixel that a code from the model would need. A pixel without compression has 8 bits. The condition is the label
 * of each picture. There are two values for the same pictures:
 *
 *   bound  The variational bound of Ho et al. (2020), an upper bound. It needs a variance-preserving schedule with
 *          discrete steps.
 *   ode    The density p under the probability-flow ODE, as -log2 p(x)/D - log2(bin). x is a picture plus uniform noise
 *          of the width of a grey level, bin. In expectation this is also an upper bound (Theis, van den Oord and
 *          Bethge 2016). The divergence is Hutchinson's estimate (Song et al. 2021, appendix D.2).
 *
 * Some networks have a hidden layer with fewer numbers than a picture has pixels. They cannot reproduce a picture
 * exactly, even at low noise. The eye hardly sees this error. But the bound multiplies an error in x0 by the
 * signal-to-noise ratio, which is tens of thousands there. So both values are those of a model with a skip connection:
 *
 *   x0 = y + g(t)·(x/alpha - y),   y the network's x0,   g = E[(x0 - y)(x/alpha - y)] / E[(x/alpha - y)²]
 *
 * This is the least-squares mixture of the network's output y and its scaled input x/alpha. The weight g depends on the
 * pixel and on the noise level, and is measured on training pictures. `plain` is the bound without the skip connection.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { type Dataset, type TrainTest, take } from '../../data/dataset.ts';
import { combine } from '../../diffusion/combine.ts';
import { DiscreteSchedule } from '../../diffusion/discrete-schedule.ts';
import { classifierFree, type Labels } from '../../diffusion/guidance.ts';
import { GREY_BIN } from '../../diffusion/learned-variance.ts';
import { noiseToSignal } from '../../diffusion/level.ts';
import { odeLikelihood } from '../../diffusion/likelihood.ts';
import { conversion, type Predictor } from '../../diffusion/prediction.ts';
import { diffuse } from '../../diffusion/process.ts';
import type { NoiseSchedule } from '../../diffusion/schedule.ts';
import { type Bound, variationalBound } from '../../diffusion/variational-bound.ts';
import { exp, log } from '../../math.ts';
import type { Module } from '../../nn/module.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { DiffusionPipeline } from '../pipeline.ts';

/** Values in bits per dimension. */
export interface DiffusionLikelihood {
  /** Null for a schedule with continuous time or with exploding variance. */
  readonly bound: Bound | null;
  /** The bound without the skip connection. Null where `bound` is null. */
  readonly plain: number | null;
  /** Null if alpha is 0 at the last level of the schedule: the ODE is not defined there. */
  readonly ode: number | null;
}

/** The number of training pictures that measure g. */
const PICTURES = 200;
/** The number of test pictures whose likelihood is computed. */
const TESTED = 100;
/** The number of noise levels at which g is measured. */
const LEVELS = 64;
/** The number of terms of the bound that are evaluated. */
const TERMS = 100;
/** The number of steps of the ODE. */
const STEPS = 48;

/** The parts of a pipeline that the likelihood needs. */
export type LikelihoodModel = Pick<DiffusionPipeline, 'schedule' | 'classes' | 'predicts' | 'predict'> & {
  readonly network: Pick<Module, 'parameters'>;
};

/**
 * The likelihood of the first 100 test pictures. The function takes the first 200 training pictures to measure g.
 * @param seed the seed of all noise
 * @throws ShapeError for pictures that do not have the model's size
 */
export function diffusionLikelihood(
  model: LikelihoodModel,
  { train, test }: TrainTest,
  seed: Seed,
): DiffusionLikelihood {
  const rng = new Rng(seed).stream('likelihood');
  const { schedule } = model;
  const conditioned = (labels: Labels) => classifierFree(model, labels);
  return scope(() => {
    const [known, tested] = [take(train, PICTURES), take(test, TESTED)];
    const weights = noGrad(() =>
      measureWeights(conditioned(labelsOf(model, known)), schedule, grey(known), rng),
    );
    const network = conditioned(labelsOf(model, tested));
    const mixed = withSkip(network, schedule, weights);
    const x0 = grey(tested);
    return {
      bound: boundOf(mixed, schedule, x0, rng),
      plain: boundOf(network, schedule, x0, rng)?.bitsPerDimension ?? null,
      ode: odeOf(mixed, schedule, x0, rng, model.network.parameters()),
    };
  });
}

const labelsOf = ({ classes }: LikelihoodModel, { labels }: Dataset): Labels =>
  Array.from(labels, (label) => (classes > 0 ? label : null));

/** The pictures as a tensor [n, height, width, channels], in [-1, 1]. */
function grey({ images, length, height, width, channels }: Dataset): Tensor {
  const values = Float32Array.from(images, (byte) => byte * GREY_BIN - 1);
  return tensor(values, [length, height, width, channels]);
}

/** The weights g at equally spaced values of ln(sigma/alpha). */
interface SkipWeights {
  /** The first value of ln(sigma/alpha). */
  readonly from: number;
  readonly step: number;
  /** g of each pixel, [LEVELS][pixels]. */
  readonly rows: readonly Float64Array[];
}

/** Measures g on the pictures x0. */
function measureWeights(network: Predictor, schedule: NoiseSchedule, x0: Tensor, rng: Rng): SkipWeights {
  const [first, last] = [schedule.level(schedule.tMin), schedule.level(schedule.tMax)];
  const from = log(noiseToSignal(first));
  // The last level may have alpha = 0, and no x/alpha. We stop at ln(sigma/alpha) = 12, because g is almost 0 there.
  const step = (Math.min(log(noiseToSignal(last)), 12) - from) / (LEVELS - 1);
  const pixels = x0.size / x0.shape[0];
  const clean = x0.toTypedArray();
  const rows = Array.from({ length: LEVELS }, (_, k) =>
    scope(() => {
      const level = schedule.levelOfRatio(exp(from + k * step));
      const { x } = diffuse(x0, level, rng);
      const noisy = x.toTypedArray();
      const predicted = dataOf(network, schedule, x, level.t).toTypedArray();
      const [products, squares] = [new Float64Array(pixels), new Float64Array(pixels)];
      for (let i = 0; i < clean.length; i++) {
        const d = noisy[i] / level.alpha - predicted[i];
        products[i % pixels] += (clean[i] - predicted[i]) * d;
        squares[i % pixels] += d * d;
      }
      return products.map((product, i) => Math.min(1, Math.max(0, product / squares[i])));
    }),
  );
  return { from, step, rows };
}

/** The network's estimate of x0, computed with ops. */
function dataOf(network: Predictor, schedule: NoiseSchedule, x: Tensor, t: number): Tensor {
  const [a, b] = conversion(network.predicts, 'x0', schedule.level(t));
  const output = network.predict(x, t);
  return a === 0 && b === 1 ? output : x.mul(a).add(output.mul(b));
}

/** The model with the skip connection of this file's header. Between two levels g is interpolated linearly. */
function withSkip(network: Predictor, schedule: NoiseSchedule, { from, step, rows }: SkipWeights): Predictor {
  return {
    predicts: 'x0',
    predict(x, t) {
      const level = schedule.level(t);
      const at = Math.min(Math.max((log(noiseToSignal(level)) - from) / step, 0), rows.length - 1);
      const k = Math.min(Math.floor(at), rows.length - 2);
      const [below, above] = [rows[k], rows[k + 1]];
      const weight = tensor(
        below.map((g, i) => g + (at - k) * (above[i] - g)),
        x.shape.slice(1),
      );
      const predicted = dataOf(network, schedule, x, t);
      if (level.alpha === 0) return predicted;
      const scaled = x.mul(1 / level.alpha);
      return predicted.add(scaled.sub(predicted).mul(weight));
    },
  };
}

function boundOf(model: Predictor, schedule: NoiseSchedule, x0: Tensor, rng: Rng): Bound | null {
  if (!(schedule instanceof DiscreteSchedule) || schedule.scaling !== 'preserving') return null;
  return noGrad(() => variationalBound(model, schedule, x0, rng, { terms: TERMS }));
}

function odeOf(
  model: Predictor,
  schedule: NoiseSchedule,
  x0: Tensor,
  rng: Rng,
  parameters: readonly Tensor[],
): number | null {
  if (schedule.level(schedule.tMax).alpha === 0) return null;
  const spread = combine(x0.empty(x0.shape), [1, x0], [GREY_BIN, rng.uniform(x0.shape).sub(0.5)]);
  const { logLikelihood, latent } = odeLikelihood(model, schedule, spread, {
    steps: STEPS,
    divergence: 'hutchinson',
    rng,
    parameters,
  });
  latent.dispose();
  const nats = -logLikelihood.reduce((sum, value) => sum + value, 0) / x0.size;
  return (nats - log(GREY_BIN)) / Math.LN2;
}
