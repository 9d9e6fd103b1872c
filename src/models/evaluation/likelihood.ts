/**
 * How likely a diffusion model finds pictures, in bits per dimension: the bits that a code made of the model would
 * spend on a pixel, of the 8 that it has. Two figures for the same pictures, with their labels as the condition:
 *
 *   bound  the variational bound of Ho et al. (2020), an upper limit, for schedules that have steps and preserve variance
 *   ode    the probability-flow ODE's density of pictures whose grey levels are spread uniformly over their bins,
 *          -log2 p(x)/D - log2(bin), in expectation also an upper limit (Theis, van den Oord and Bethge 2016);
 *          its divergence is Hutchinson's estimate (Song et al. 2021, appendix D.2)
 *
 * A network that predicts data through fewer numbers than a picture has pixels cannot repeat a picture exactly, even
 * where hardly any noise is on it. The eye does not mind, but the bound counts an error in x0 by the signal-to-noise
 * ratio, which is tens of thousands there. So both figures are those of a model with a skip connection,
 *
 *   x0 = y + g(t)·(x/alpha - y),   y the network's x0,   g = E[(x0 - y)(x/alpha - y)] / E[(x/alpha - y)²]
 *
 * whose share g of each pixel and noise level is measured on training pictures: the least squares mixture of what
 * the network says and what it was shown. The bound without it stands beside, as `plain`.
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

export interface DiffusionLikelihood {
  /** Null where time is continuous or the variance explodes. */
  readonly bound: Bound | null;
  /** Of the network as it is, without the skip connection; bits per dimension. */
  readonly plain: number | null;
  /** Bits per dimension; null where the noisiest level has nothing of the data left. */
  readonly ode: number | null;
}

/** Pictures that the shares are measured on, and those whose bits are counted. */
const PICTURES = 200;
const COUNTED = 100;
/** Noise levels that shares are measured at, terms of the bound that are evaluated, and steps of the ODE. */
const LEVELS = 64;
const TERMS = 100;
const STEPS = 48;

/** What is asked of a model. */
type Model = Pick<DiffusionPipeline, 'schedule' | 'classes' | 'predicts' | 'predict'> & {
  readonly network: Pick<Module, 'parameters'>;
};

/**
 * The likelihood of the first test pictures.
 * @throws ShapeError for pictures that are not of the model's size
 */
export function diffusionLikelihood(
  model: Model,
  { train, test }: TrainTest,
  seed: Seed,
): DiffusionLikelihood {
  const rng = new Rng(seed).stream('likelihood');
  const { schedule } = model;
  const conditioned = (labels: Labels) => classifierFree(model, labels);
  return scope(() => {
    const [known, tested] = [take(train, PICTURES), take(test, COUNTED)];
    const shares = noGrad(() => measure(conditioned(labelsOf(model, known)), schedule, grey(known), rng));
    const network = conditioned(labelsOf(model, tested));
    const mixed = withSkip(network, schedule, shares);
    const x0 = grey(tested);
    return {
      bound: boundOf(mixed, schedule, x0, rng),
      plain: boundOf(network, schedule, x0, rng)?.bitsPerDimension ?? null,
      ode: odeOf(mixed, schedule, x0, rng, model.network.parameters()),
    };
  });
}

const labelsOf = ({ classes }: Model, { labels }: Dataset): Labels =>
  Array.from(labels, (label) => (classes > 0 ? label : null));

/** Pictures in [-1, 1], [n, height, width, channels]. */
function grey({ images, length, height, width, channels }: Dataset): Tensor {
  const values = Float32Array.from(images, (byte) => byte * GREY_BIN - 1);
  return tensor(values, [length, height, width, channels]);
}

/** g of each pixel at rising values of ln(sigma/alpha). */
interface Shares {
  readonly from: number;
  readonly step: number;
  readonly rows: readonly Float64Array[];
}

function measure(network: Predictor, schedule: NoiseSchedule, x0: Tensor, rng: Rng): Shares {
  const [first, last] = [schedule.level(schedule.tMin), schedule.level(schedule.tMax)];
  const from = log(noiseToSignal(first));
  // A level without any signal has no x/alpha; the share there is next to nothing long before.
  const step = (Math.min(log(noiseToSignal(last)), 12) - from) / (LEVELS - 1);
  const pixels = x0.size / x0.shape[0];
  const clean = x0.toTypedArray();
  const rows = Array.from({ length: LEVELS }, (_, k) =>
    scope(() => {
      const level = schedule.levelOfRatio(exp(from + k * step));
      const { x } = diffuse(x0, level, rng);
      const shown = x.toTypedArray();
      const said = dataOf(network, schedule, x, level.t).toTypedArray();
      const [above, below] = [new Float64Array(pixels), new Float64Array(pixels)];
      for (let i = 0; i < clean.length; i++) {
        const d = shown[i] / level.alpha - said[i];
        above[i % pixels] += (clean[i] - said[i]) * d;
        below[i % pixels] += d * d;
      }
      return above.map((a, i) => Math.min(1, Math.max(0, a / below[i])));
    }),
  );
  return { from, step, rows };
}

/** The network's x0, made of ops. */
function dataOf(network: Predictor, schedule: NoiseSchedule, x: Tensor, t: number): Tensor {
  const [a, b] = conversion(network.predicts, 'x0', schedule.level(t));
  const said = network.predict(x, t);
  return a === 0 && b === 1 ? said : x.mul(a).add(said.mul(b));
}

/** The model with the skip connection: see above. Shares between two levels are interpolated. */
function withSkip(network: Predictor, schedule: NoiseSchedule, { from, step, rows }: Shares): Predictor {
  return {
    predicts: 'x0',
    predict(x, t) {
      const level = schedule.level(t);
      const at = Math.min(Math.max((log(noiseToSignal(level)) - from) / step, 0), rows.length - 1);
      const k = Math.min(Math.floor(at), rows.length - 2);
      const [below, above] = [rows[k], rows[k + 1]];
      const share = tensor(
        below.map((g, i) => g + (at - k) * (above[i] - g)),
        x.shape.slice(1),
      );
      const said = dataOf(network, schedule, x, t);
      if (level.alpha === 0) return said;
      const shown = x.mul(1 / level.alpha);
      return said.add(shown.sub(said).mul(share));
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
