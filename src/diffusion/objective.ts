/**
 * Training objectives. Each sample is noised to its own random time. The loss is the weighted mean squared error of the
 * network's prediction (eps, x0, v, score, flow or edm).
 *
 *   loss = mean over samples i of w(t_i)·mean over coordinates of (network(x_i, t_i) - target_i)²
 *
 * Except for `simple`, a weight is defined for the error of one kind of prediction. For another kind it is multiplied
 * by the squared factor between the two errors. So the weighted loss does not depend on the kind of prediction.
 *
 *   simple   1 on the error of the network's own kind, but sigma² for the score: then it is the error of eps (Song et
 *            al. 2021). Without the factor, times with little noise would dominate the loss.
 *   min-snr  min(SNR, gamma) on x0: Hang et al., "Efficient diffusion training via min-SNR weighting" (2023)
 *   p2       1/(k + SNR)^gamma on eps: Choi et al., "Perception prioritized training" (2022)
 *   vlb      the weight in the variational bound with variance betaTilde: fromX0²/(2·betaTilde) on x0, in nats (Ho et
 *            al. 2020, equation 12). betaTilde is 0 at the first step; there the value of the second step is used.
 *
 * Rectified flow is the schedule `flow` with the prediction `flow` (Liu, Gong and Liu 2022). Its times can be
 * logit-normal (Esser et al., "Scaling rectified flow transformers" 2024). EDM's loss is the prediction `edm` with
 * log-normal noise and the weight `simple` (Karras et al. 2022). Learnt variance is in learned-variance.ts. Left out on
 * purpose: importance sampling of times.
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
import { EDM_NOISE } from './preconditioning.ts';
import { checkPrediction, type Prediction, type Predictor, predictionRow, predictor } from './prediction.ts';
import { diffuseEach, perSample } from './process.ts';
import { type NoiseSchedule, timeAt } from './schedule.ts';

/** A network in training: from x [batch, ...] and a float64 time for each sample to a prediction of x's shape. */
export type Network = (x: Tensor, t: ArrayLike<number>) => Tensor;

/** The same time for each sample of x [batch, ...]. */
export const sameTime = (x: Tensor, t: number): Float64Array => new Float64Array(x.shape[0] ?? 1).fill(t);

/** The names of the weightings. */
export const LOSS_WEIGHTINGS = ['simple', 'min-snr', 'p2', 'vlb'] as const;
/** The weight of a time in the loss. `simple` is 1 in the space of the prediction. */
export type LossWeighting = (typeof LOSS_WEIGHTINGS)[number];

export const TIME_SAMPLINGS = ['uniform', 'stratified', 'logit-normal', 'log-normal'] as const;
/** The name of a distribution of times. */
export type TimeSamplingName = (typeof TIME_SAMPLINGS)[number];

/**
 * The distribution of times. `uniform`: independent and uniform. `stratified`: one time in each of `batch` equal parts.
 * `logit-normal`: sigmoid(mean + std·z); the name alone has mean 0 and std 1. `log-normal`: the time at which sigma/alpha
 * is exp(mean + std·z); the name alone has EDM's mean -1.2 and std 1.2. A schedule with steps takes the nearest step.
 */
export type TimeSampling =
  | TimeSamplingName
  | {
      readonly kind: 'logit-normal' | 'log-normal';
      readonly mean: number;
      readonly std: number;
    };

/** Options of `Objective`. */
export interface ObjectiveOptions {
  /** What the network predicts. Default `eps`. */
  readonly predicts?: Prediction;
  /** Default `simple`. */
  readonly lossWeighting?: LossWeighting;
  /** gamma of `min-snr` (default 5) and of `p2` (default 1). */
  readonly gamma?: number;
  /** k of `p2`. Default 1. */
  readonly k?: number;
  /** Default `uniform`. */
  readonly times?: TimeSampling;
}

/** The predictor of a network: all samples have the same time. */
export function networkPredictor(network: Network, predicts: Prediction): Predictor {
  return predictor(predicts, (x, t) => network(x, sameTime(x, t)));
}

/**
 * The training loss of a diffusion model: the weighted squared error of the prediction at random times. The
 * `lossWeighting` is that of the options.
 */
export class Objective {
  /** What the network predicts. */
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
      throw new ValueError(`weight vlb: expected a discrete schedule, got ${schedule.name}`);
    }
    const { gamma = lossWeighting === 'min-snr' ? 5 : 1 } = rest;
    this.lossWeighting = lossWeighting;
    this.gamma = checkNumber('weight: gamma', gamma);
    this.k = checkNumber('weight: k', k);
    this.sampling = checkSampling(times);
  }

  /** The loss of a batch x0 [batch, ...] for random times and random noise: a scalar with a graph. */
  loss(network: Network, x0: Tensor, rng: Rng): Tensor {
    const times = this.times(x0.shape[0] ?? 1, rng);
    return this.lossAt(network, x0, times, rng.normalInto(x0.empty(x0.shape)));
  }

  /**
   * The loss for given times, one per sample, and given noise of x0's shape.
   * @throws ShapeError for times or a prediction that do not fit x0
   */
  lossAt(network: Network, x0: Tensor, times: ArrayLike<number>, eps: Tensor): Tensor {
    const levels = Array.from(times, (t) => this.schedule.level(t));
    const x = diffuseEach(x0, levels, eps);
    const prediction = network(x, times);
    return this.weighted(prediction, this.target(x0, eps, levels), levels);
  }

  /** The target of the network: p·x0 + q·eps, with p and q of each sample's level. */
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

  /** The weight w(t) of the squared error of the network's prediction. */
  weightAt(t: number): number {
    const level = this.schedule.level(t);
    const { alpha, sigma } = level;
    const [p, q] = predictionRow(this.predicts, level);
    const determinant = alpha * q - sigma * p;
    // If the prediction has the error e, x0 has the error sigma/det·e, and eps has alpha/det·e.
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
    if (i < 0) throw new ValueError(`weight vlb: expected one of the schedule's times, got ${t}`);
    const { fromX0 } = schedule.transition(i);
    return (fromX0 * fromX0) / (2 * schedule.transition(Math.max(i, 1)).variance);
  }

  /** Draws a time for each of `batch` samples. */
  times(batch: number, rng: Rng): Float64Array {
    const { sampling, schedule } = this;
    if (typeof sampling !== 'string' && sampling.kind === 'log-normal') {
      return Float64Array.from(normals(sampling, batch, rng), (value) => timeOfRatio(schedule, exp(value)));
    }
    return Float64Array.from(fractions(sampling, batch, rng), (u) => timeAt(schedule, u));
  }

  private weighted(prediction: Tensor, target: Tensor, levels: readonly NoiseLevel[]): Tensor {
    if (this.lossWeighting === 'simple' && this.predicts !== 'score') return mse(prediction, target);
    // Both sides times √w: then the loss is the mean over the batch of w·(a - b)².
    const roots = perSample(
      levels.map(({ t }) => Math.sqrt(this.weightAt(t))),
      prediction,
    );
    return mse(prediction.mul(roots), target.mul(roots));
  }
}

/** The distribution of times with its parameters. @throws ValueError for another one */
function checkSampling(times: TimeSampling): Exclude<TimeSampling, 'logit-normal' | 'log-normal'> {
  if (times === 'uniform' || times === 'stratified') return times;
  if (times === 'logit-normal') return { kind: times, mean: 0, std: 1 };
  if (times === 'log-normal') return { kind: times, ...EDM_NOISE };
  if (times?.kind !== 'logit-normal' && times?.kind !== 'log-normal') {
    throw new ValueError(`times: expected one of ${TIME_SAMPLINGS.join(', ')}, got ${JSON.stringify(times)}`);
  }
  withDefaults(`times: ${times.kind}`, times, { kind: undefined, mean: undefined, std: undefined });
  checkNumber('times: mean', times.mean, -Infinity);
  checkNumber('times: std', times.std);
  return times;
}

/** n numbers in [0, 1), one per sample. */
function fractions(sampling: ReturnType<typeof checkSampling>, n: number, rng: Rng): Float64Array {
  if (sampling === 'uniform') return Float64Array.from(rng.bits(n), (word) => word / 2 ** 32);
  if (sampling === 'stratified') {
    return Float64Array.from(rng.bits(n), (word, i) => (i + word / 2 ** 32) / n);
  }
  const sigmoid = (value: number) => 1 / (1 + exp(-value));
  // The sigmoid of a number above 37 rounds to 1.
  return Float64Array.from(normals(sampling, n, rng), (value) => Math.min(sigmoid(value), 1 - 2 ** -53));
}

/** n numbers mean + std·z, one per sample. */
function normals({ mean, std }: { readonly mean: number; readonly std: number }, n: number, rng: Rng) {
  const z = scope(() => rng.normal([n]).toTypedArray());
  return Float64Array.from(z, (value) => mean + std * value);
}

/** The time at which sigma/alpha is nearest to `ratio`: one of the table of a schedule with steps. */
function timeOfRatio(schedule: NoiseSchedule, ratio: number): number {
  const { t } = schedule.levelOfRatio(ratio);
  const { times } = schedule;
  if (!times) return t;
  return Array.from(times).reduce((best, time) => (Math.abs(time - t) < Math.abs(best - t) ? time : best));
}
