/**
 * The job `pure-noise`: a denoiser is trained as `langevin train denoiser` does it. At moments of the training it is
 * applied to pure noise, and then five times in all to its own answer.
 */
import type { Dataset } from '../../../data/dataset.ts';
import { firstStrokes } from '../../../data/strokes-set.ts';
import { toBytes } from '../../../image/bytes.ts';
import { pureNoiseFigure } from '../../../models/figures/denoiser.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import {
  DENOISER_SETTINGS,
  type DenoiserSettings,
  newDenoiserTrainer,
} from '../../../models/training/denoiser.ts';
import { meanLoss, Timeline, trainAlong } from '../../engine/timeline.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, LiveJob } from '../../protocol.ts';

/** Passes through the denoiser. */
export const PASSES = 5;
/** Moments of a run that are kept, besides the newest. Each has 40 KB. */
const MOST_MOMENTS = 12;

export interface PureNoiseSettings extends Pick<DenoiserSettings, 'epochs' | 'noise' | 'seed'> {
  /** Training pictures. */
  readonly limit: number;
}

/** The answers of the denoiser after a step of its training. */
export interface PureNoiseMoment {
  readonly step: number;
  /** The running mean of the batches' losses; NaN before the first step. */
  readonly loss: number;
  /** Of each pass `[pictures · pixels]`, 0 to 255. */
  readonly answers: readonly Uint8Array[];
  /** Of each pass: the standard deviation of a pixel over the answers. */
  readonly spread: readonly number[];
  /** Of each pass: the root mean square difference of a pixel from the mean of the training pictures. */
  readonly fromMean: readonly number[];
}

export interface PureNoiseResult extends Hashed {
  /** Steps of the whole run. */
  readonly steps: number;
  readonly height: number;
  readonly width: number;
  /** `[pictures · pixels]`, 0 to 255. */
  readonly noise: Uint8Array;
  /** The mean of the training pictures, 0 to 1. */
  readonly mean: Float64Array;
  /** The standard deviation of a pixel over the training pictures. */
  readonly dataSpread: number;
  readonly moments: readonly PureNoiseMoment[];
}

export type PureNoiseJob = LiveJob<PureNoiseSettings, PureNoiseResult>;

/** The mean of pictures that lie one after the other, pixel by pixel. */
export function meanOf(pixels: ArrayLike<number>, size: number): Float64Array {
  const mean = new Float64Array(size);
  for (let i = 0; i < pixels.length; i++) mean[i % size] += pixels[i];
  return mean.map((sum) => (sum * size) / pixels.length);
}

/** The root mean square difference between a pixel of the pictures and that of one picture. */
export function distanceFrom(mean: Float64Array, pixels: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < pixels.length; i++) sum += (pixels[i] - mean[i % mean.length]) ** 2;
  return Math.sqrt(sum / pixels.length);
}

/** The standard deviation of a pixel over pictures. Its square is without bias. */
export function spreadOf(pixels: ArrayLike<number>, size: number): number {
  const n = pixels.length / size;
  return distanceFrom(meanOf(pixels, size), pixels) * Math.sqrt(n / (n - 1));
}

const scaled = ({ images }: Dataset) => Float64Array.from(images, (byte) => byte / 255);

export const compute: Compute<PureNoiseJob> = async function* ({ limit, ...settings }) {
  const data = firstStrokes(limit);
  const { height, width } = data.train;
  const size = height * width;
  const pictures = scaled(data.train);
  const mean = meanOf(pictures, size);
  const dataSpread = spreadOf(pictures, size);
  const trainer = newDenoiserTrainer('mlp', { ...data, ...DENOISER_SETTINGS, ...settings });
  const { module } = trainer.recipe;
  const figure = (passes: number) => pureNoiseFigure(module, data.test, settings, passes);
  const noise = toBytes(figure(1).rows[0].pixels);
  const timeline = new Timeline<PureNoiseMoment>(MOST_MOMENTS, () => {
    const answers = figure(PASSES).rows.slice(1);
    return {
      step: trainer.progress.step,
      loss: meanLoss(trainer),
      answers: answers.map(({ pixels }) => toBytes(pixels)),
      spread: answers.map(({ pixels }) => spreadOf(pixels, size)),
      fromMean: answers.map(({ pixels }) => distanceFrom(mean, pixels)),
    };
  });
  const result = (): PureNoiseResult => ({
    steps: trainer.steps,
    height,
    width,
    noise,
    mean,
    dataSpread,
    moments: timeline.until(trainer.progress.step),
    hashes: {},
  });
  try {
    for (const _step of trainAlong(trainer, timeline)) yield () => structuredClone(result());
    const hashes = {
      'pure-noise.png': await numbersHash(figure(1)),
      'pure-noise-5x.png': await numbersHash(figure(PASSES)),
    };
    return { ...result(), hashes };
  } finally {
    trainer.dispose();
    module.dispose();
  }
};
