/**
 * The job `start`: a small diffusion model is trained as `langevin train diffusion` does it. At moments of the training
 * it samples a picture of each digit, always from the same noise.
 */
import { firstStrokes } from '../../../data/strokes-set.ts';
import { toBytes } from '../../../image/bytes.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import { defaultsOf } from '../../../models/setting.ts';
import { DIFFUSION_TABLE, type DiffusionNetworkName } from '../../../models/settings.ts';
import { newDiffusionTrainer, samplesOf } from '../../../models/training/new-diffusion.ts';
import { meanLoss, Timeline, trainAlong } from '../../engine/timeline.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, LiveJob } from '../../protocol.ts';

/** Moments of a run that are kept, besides the newest. */
const MOST_MOMENTS = 24;
/** Steps of the sampler at a moment. Fewer than the command's, so that the training has most of the time. */
const SAMPLER_STEPS = 10;

export interface StartSettings {
  readonly model: DiffusionNetworkName;
  readonly epochs: number;
  readonly lr: number;
  /** Training pictures. */
  readonly limit: number;
  readonly seed: string;
}

/** What the model can do after a step of its training. */
export interface StartMoment {
  readonly step: number;
  /** The running mean of the batches' losses; NaN before the first step. */
  readonly loss: number;
  /** Ten pictures, one for each digit, `[10 · height·width]`, 0 to 255. */
  readonly pictures: Uint8Array;
}

export interface StartResult extends Hashed {
  /** Steps of the whole run. */
  readonly steps: number;
  readonly height: number;
  readonly width: number;
  readonly moments: readonly StartMoment[];
}

export type StartJob = LiveJob<StartSettings, StartResult>;

export const compute: Compute<StartJob> = async function* ({ limit, ...given }) {
  const { seconds: _limit, ...defaults } = defaultsOf(DIFFUSION_TABLE);
  const data = firstStrokes(limit);
  const { height, width } = data.train;
  const trainer = newDiffusionTrainer(data, { ...defaults, ...given });
  const timeline = new Timeline<StartMoment>(MOST_MOMENTS, () => ({
    step: trainer.progress.step,
    loss: meanLoss(trainer),
    pictures: toBytes(samplesOf(trainer, 1, SAMPLER_STEPS).pictures),
  }));
  const result = (): StartResult => ({
    steps: trainer.steps,
    height,
    width,
    moments: timeline.until(trainer.progress.step),
    hashes: {},
  });
  try {
    for (const _step of trainAlong(trainer, timeline)) yield () => structuredClone(result());
    const hashes = { 'samples.png': await numbersHash(samplesOf(trainer)) };
    return { ...result(), hashes };
  } finally {
    trainer.dispose();
    trainer.recipe.module.dispose();
  }
};
