/**
 * Training objectives: noise each sample to a time of its own, and take the weighted mean squared error of what
 * the network predicts (eps, x0, v, score or flow).
 *
 *   loss = mean over samples i of w(t_i)·mean over coordinates of (network(x_i, t_i) - target_i)²
 *
 * A weight is meant for one kind of prediction and carried over to the others by the factor between their errors,
 * so that the weighted loss is the same whatever the network predicts:
 *
 *   simple   1, on the error of the network's own kind; of the score sigma², so that it is the error of eps (Song et
 *            al. 2021): unweighted it would be that of the least noise alone
 *   min-snr  min(SNR, gamma) on x0: Hang et al., "Efficient diffusion training via min-SNR weighting" (2023)
 *   p2       1/(k + SNR)^gamma on eps: Choi et al., "Perception prioritized training" (2022)
 *   vlb      the variational bound's own with variance betaTilde, fromX0²/(2·betaTilde) on x0, in nats: Ho et al.
 *            (2020), equation 12. At the first step, where betaTilde is 0, the second's stands in its place.
 *
 * Rectified flow is the schedule `flow` with predictions `flow` (Liu, Gong and Liu 2022); its times may be
 * logit-normal (Esser et al., "Scaling rectified flow transformers" 2024). Learnt variance: learned-variance.ts;
 * EDM's preconditioning: edm.ts. Left out: importance sampling of times.
 */
import { scope } from '../autograd/tape.ts';
import { ValueError } from '../errors.ts';
import { exp, pow } from '../math.ts';
import { oneOf, withDefaults } from '../options.ts';
import type { Rng } from '../random/rng.ts';
import { mse } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkNumber } from './check.ts';
import { DiscreteSchedule } from './discrete-schedule.ts';
import type { NoiseLevel } from './level.ts';
import { snr } from './level.ts';
import { checkPrediction, type Prediction, type Predictor, predictionRow, predictor } from './prediction.ts';
import { diffuseEach, perSample } from './process.ts';
import { type NoiseSchedule, timeAt } from './schedule.ts';

/** A network being trained: x [batch, ...] and a time for each sample, in float64, to a prediction of x's shape. */
export type Network = (x: Tensor, t: ArrayLike<number>) => Tensor;

/** One time for every sample of x [batch, ...]. */
export const sameTime = (x: Tensor, t: number): Float64Array => new Float64Array(x.shape[0] ?? 1).fill(t);

export const LOSS_WEIGHTINGS = ['simple', 'min-snr', 'p2', 'vlb'] as const;
export type LossWeighting = (typeof LOSS_WEIGHTINGS)[number];

export const TIME_SAMPLINGS = ['uniform', 'stratified', 'logit-normal'] as const;
export type TimeSamplingName = (typeof TIME_SAMPLINGS)[number];

/**
 * How times are drawn: independently, one in each of `batch` equal parts, or as sigmoid(mean + std·z). The name
 * `logit-normal` alone has mean 0 and std 1.
 */
export type TimeSampling =
  | TimeSamplingName
  | { readonly kind: 'logit-normal'; readonly mean: number; readonly std: number };

export interface ObjectiveOptions {
  readonly predicts?: Prediction;
  /** `simple` by default. */
  readonly lossWeighting?: LossWeighting;
  /** Of `min-snr`, 5 by default, and of `p2`, 1. */
  readonly gamma?: number;
  /** Of `p2`, 1 by default. */
  readonly k?: number;
  /** `uniform` by default. */
  readonly times?: TimeSampling;
}

/** A network as samplers ask it: one time for all. */
export function networkPredictor(network: Network, predicts: Prediction): Predictor {
  return predictor(predicts, (x, t) => network(x, sameTime(x, t)));
}

export class Objective {
  readonly predicts: Prediction;
  readonly lossWeighting: LossWeighting;
  private readonly sampling: ReturnType<typeof checkSampling>;
  private readonly gamma: number;
  private readonly k: number;

  /** @throws ValueError for unknown predictions, weights or times, and `vlb` on a schedule without steps */
  constructor(
    readonly schedule: NoiseSchedule,
    options: ObjectiveOptions = {},
  ) {
    const { predicts, times, k, ...rest } = withDefaults('Objective', options, {
      predicts: 'eps',
      lossWeighting: 'simple',
      gamma: undefined,
      k: 1,
      times: 'uniform',
    });
    const lossWeighting = oneOf('weight', LOSS_WEIGHTINGS, rest.lossWeighting);
    this.predicts = checkPrediction(predicts);
    if (lossWeighting === 'vlb' && !(schedule instanceof DiscreteSchedule)) {
      throw new ValueError(`weight: vlb needs a schedule of discrete steps, got ${schedule.name}`);
    }
    const { gamma = lossWeighting === 'min-snr' ? 5 : 1 } = rest;
    this.lossWeighting = lossWeighting;
    this.gamma = checkNumber('weight: gamma', gamma);
    this.k = checkNumber('weight: k', k);
    this.sampling = checkSampling(times);
  }

  /** The loss of a batch x0 [batch, ...] at random times with random noise: a scalar with its graph. */
  loss(network: Network, x0: Tensor, rng: Rng): Tensor {
    const times = this.times(x0.shape[0] ?? 1, rng);
    return this.lossAt(network, x0, times, rng.normalInto(x0.empty(x0.shape)));
  }

  /**
   * The loss at given times, one a sample, and given noise of x0's shape.
   * @throws ShapeError for times or a prediction that do not fit x0
   */
  lossAt(network: Network, x0: Tensor, times: ArrayLike<number>, eps: Tensor): Tensor {
    const levels = Array.from(times, (t) => this.schedule.level(t));
    const x = diffuseEach(x0, levels, eps);
    const prediction = network(x, times);
    return this.weighted(prediction, this.target(x0, eps, levels), levels);
  }

  /** What the network should say: p·x0 + q·eps of each sample's level. */
  target(x0: Tensor, eps: Tensor, levels: readonly NoiseLevel[]): Tensor {
    if (this.predicts === 'eps') return eps;
    if (this.predicts === 'x0') return x0;
    const rows = levels.map((level) => predictionRow(this.predicts, level));
    const [p, q] = [0, 1].map((i) =>
      perSample(
        rows.map((row) => row[i]),
        x0,
      ),
    );
    return x0.mul(p!).add(eps.mul(q!));
  }

  /** w(t) on the squared error of what the network predicts. */
  weightAt(t: number): number {
    const level = this.schedule.level(t);
    const { alpha, sigma } = level;
    const [p, q] = predictionRow(this.predicts, level);
    const determinant = alpha * q - sigma * p;
    // An error e of the prediction is one of sigma/det·e in x0 and of alpha/det·e in eps.
    const [ofX0, ofEps] = [sigma / determinant, alpha / determinant];
    switch (this.lossWeighting) {
      case 'simple':
        return this.predicts === 'score' ? sigma * sigma : 1;
      case 'min-snr':
        return Math.min(snr(level), this.gamma) * ofX0 * ofX0;
      case 'p2':
        return pow(this.k + snr(level), -this.gamma) * ofEps * ofEps;
      case 'vlb':
        return this.boundWeight(t) * ofX0 * ofX0;
    }
  }

  private boundWeight(t: number): number {
    const schedule = this.schedule as DiscreteSchedule;
    const i = schedule.times.indexOf(t);
    if (i < 0) throw new ValueError(`weight: vlb is known at the schedule's own times, got ${t}`);
    const { fromX0 } = schedule.transition(i);
    return (fromX0 * fromX0) / (2 * schedule.transition(Math.max(i, 1)).variance);
  }

  /** A time for each of `batch` samples. */
  times(batch: number, rng: Rng): Float64Array {
    return Float64Array.from(fractions(this.sampling, batch, rng), (u) => timeAt(this.schedule, u));
  }

  private weighted(prediction: Tensor, target: Tensor, levels: readonly NoiseLevel[]): Tensor {
    if (this.lossWeighting === 'simple' && this.predicts !== 'score') return mse(prediction, target);
    // √w on both sides: the mean over the batch of w·(a - b)²
    const roots = perSample(
      levels.map(({ t }) => Math.sqrt(this.weightAt(t))),
      prediction,
    );
    return mse(prediction.mul(roots), target.mul(roots));
  }
}

/** The sampling with its parameters. */
function checkSampling(times: TimeSampling): Exclude<TimeSampling, 'logit-normal'> {
  if (times === 'uniform' || times === 'stratified') return times;
  if (times === 'logit-normal') return { kind: times, mean: 0, std: 1 };
  if (times?.kind !== 'logit-normal') {
    throw new ValueError(`times: expected uniform, stratified or logit-normal, got ${JSON.stringify(times)}`);
  }
  withDefaults('times: logit-normal', times, { kind: undefined, mean: undefined, std: undefined });
  checkNumber('times: mean', times.mean, -Infinity);
  checkNumber('times: std', times.std);
  return times;
}

/** Numbers in [0, 1), one a sample. */
function fractions(sampling: ReturnType<typeof checkSampling>, n: number, rng: Rng): Float64Array {
  if (sampling === 'uniform') return Float64Array.from(rng.bits(n), (word) => word / 2 ** 32);
  if (sampling === 'stratified') {
    return Float64Array.from(rng.bits(n), (word, i) => (i + word / 2 ** 32) / n);
  }
  const z = scope(() => rng.normal([n]).toTypedArray());
  const sigmoid = (value: number) => 1 / (1 + exp(-value));
  // A sigmoid rounds to 1 beyond 37.
  return Float64Array.from(z, (value) =>
    Math.min(sigmoid(sampling.mean + sampling.std * value), 1 - 2 ** -53),
  );
}
