/**
 * The jobs of the denoiser: training as `langevin train denoiser` does it, its model as a file, and what the model in
 * a file does.
 */
import { backend } from '../../../backend/backend.ts';
import { decodeCheckpoint } from '../../../checkpoint/checkpoint.ts';
import { requireDigest } from '../../../checkpoint/digest.ts';
import { pictureName, type TrainTest } from '../../../data/dataset.ts';
import { ShapeError, ValueError } from '../../../errors.ts';
import { toBytes } from '../../../image/bytes.ts';
import { denoisedFigure } from '../../../models/figures/denoiser.ts';
import { type LossFigure, lossFigure } from '../../../models/figures/loss.ts';
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import type { PictureRows } from '../../../models/figures/picture-rows.ts';
import { denoiserOf } from '../../../models/networks/registry.ts';
import {
  type DenoiserRecipe,
  type DenoiserSettings,
  newDenoiserTrainer,
  testDenoiser,
} from '../../../models/training/denoiser.ts';
import type { Trainer } from '../../../models/training/loop.ts';
import { encodeRun } from '../../../models/training/resume.ts';
import { Timeline, trainAlong } from '../../engine/timeline.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job, LiveJob } from '../../protocol.ts';
import { type PageDataSettings, pageData, readGiven } from './data.ts';

export type PageDenoiserSettings = PageDataSettings & DenoiserSettings;

/** The model's outputs for the ten pictures after a step. */
export interface Moment {
  readonly step: number;
  /** `[10 · pixels]`, 0 to 255. */
  readonly pixels: Uint8Array;
}

export interface DenoiserResult extends Hashed {
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly epochs: number;
  /** Training steps in a second, of the last half second; 0 at first. */
  readonly speed: number;
  readonly threads: number;
  readonly loss: LossFigure;
  /** Test pictures, the same with noise, and the model's outputs now. */
  readonly pictures: PictureRows;
  readonly moments: readonly Moment[];
}

export type DenoiserJob = LiveJob<PageDenoiserSettings, DenoiserResult>;

/** The model of the last run as a file. */
export type DenoiserFileJob = Job<Record<never, never>, Uint8Array<ArrayBuffer>>;

export interface OpenedDenoiser extends Hashed {
  readonly description: string;
  readonly testLoss: number;
  readonly pictures: PictureRows;
}
export type DenoiserOpenJob = Job<
  PageDataSettings & Pick<DenoiserSettings, 'noise' | 'seed'> & { readonly model: File },
  OpenedDenoiser
>;

/** The largest batch on the page. */
const MOST_BATCH = 4096;
/** Moments of a run that are kept, besides the newest. */
const MOST_MOMENTS = 32;
/** Seconds of training over which the speed is measured. */
const SPEED_WINDOW = 0.5;

/** The run that goes on, and the one that ended last. Their models can be saved. */
let running: Trainer<DenoiserRecipe> | null = null;
let ended: Trainer<DenoiserRecipe> | null = null;

/** Frees all of a run but its model, which stays until the next run ends. */
function end(trainer: Trainer<DenoiserRecipe>): void {
  trainer.dispose();
  ended?.recipe.module.dispose();
  ended = trainer;
  if (running === trainer) running = null;
}

/** Follows a run: its speed, and the model's outputs at some of its steps. */
class Follower {
  readonly timeline = new Timeline<Moment>(MOST_MOMENTS, () => ({
    step: this.trainer.progress.step,
    pixels: toBytes(this.pictures().rows[2].pixels),
  }));
  private speed = 0;
  private mark = { step: 0, seconds: 0 };

  constructor(
    private readonly trainer: Trainer<DenoiserRecipe>,
    private readonly data: TrainTest,
  ) {}

  private pictures(): PictureRows {
    const { module, settings } = this.trainer.recipe;
    return denoisedFigure(module, this.data.test, settings);
  }

  /** The result so far. */
  result(): DenoiserResult {
    const { trainer } = this;
    const { step, seconds } = trainer.progress;
    const since = seconds - this.mark.seconds;
    if (since >= SPEED_WINDOW || (this.speed === 0 && since > 0)) {
      this.speed = (step - this.mark.step) / since;
      if (since >= SPEED_WINDOW) this.mark = { step, seconds };
    }
    return {
      step,
      steps: trainer.steps,
      epochs: trainer.options.epochs,
      speed: this.speed,
      threads: backend().threads,
      loss: lossFigure(trainer.history),
      pictures: this.pictures(),
      moments: this.timeline.until(step),
      hashes: {},
    };
  }
}

/** Trains. It yields after every step. */
export const train: Compute<DenoiserJob> = async function* (settings) {
  const { epochs, batchSize, lr, noise, seed } = settings;
  if (batchSize > MOST_BATCH) {
    throw new ValueError(
      `batch size: expected at most ${MOST_BATCH} on this page, got ${batchSize}: the command takes more`,
    );
  }
  const data = await pageData(settings);
  const trainer = newDenoiserTrainer('mlp', { ...data, epochs, batchSize, lr, noise, seed });
  running = trainer;
  try {
    const follower = new Follower(trainer, data);
    for (const _step of trainAlong(trainer, follower.timeline))
      yield () => structuredClone(follower.result());
    const result = follower.result();
    const hashes = {
      'denoised.png': await numbersHash(result.pictures),
      'loss.svg': await numbersHash(result.loss),
    };
    return { ...result, hashes };
  } finally {
    end(trainer);
  }
};

export const file: Compute<DenoiserFileJob> = async () => {
  const trainer = running ?? ended;
  if (!trainer) throw new ValueError('expected a model that was trained here, got none: press Train first');
  return encodeRun(trainer);
};

/** @throws FormatError, FileError for a file that is no denoiser, ShapeError for one of other pictures */
export const open: Compute<DenoiserOpenJob> = async ({ model: given, noise, seed, ...settings }) => {
  const bytes = await readGiven(given);
  const checkpoint = decodeCheckpoint(bytes, given.name);
  await requireDigest(bytes, checkpoint);
  const model = denoiserOf(checkpoint);
  try {
    const { test } = await pageData(settings);
    if (!model.fits(test)) {
      throw new ShapeError(
        `${given.name}: expected a denoiser of ${pictureName(test)} pictures, got ${model.takes}`,
      );
    }
    const pictures = denoisedFigure(model, test, { noise, seed });
    return {
      description: model.description,
      testLoss: testDenoiser(model, test, noise, seed),
      pictures,
      hashes: { 'denoised.png': await numbersHash(pictures) },
    };
  } finally {
    model.dispose();
  }
};
