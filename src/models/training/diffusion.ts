/**
 * Recipe of a diffusion network:
 *
 *     x0 in [-1, 1], by the model's tones;  t, eps and which labels are withheld from one stream;  loss: diffusion/objective.ts
 *     Adam, its rate warmed up and then lowered along half a cosine to finalLr·lr;  gradients clipped where wanted
 *     moving average of the network
 *
 * The test loss is the moving average's on the first 2,000 test pictures at most, with noise and evenly spread
 * times that are the same after every epoch.
 */
import type { Checkpoint, CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import { pictureName, type TrainTest, take } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import {
  LOSS_WEIGHTINGS,
  type LossWeighting,
  Objective,
  TIME_SAMPLINGS,
  type TimeSamplingName,
} from '../../diffusion/objective.ts';
import type { LrSchedule } from '../../optim/lr-schedule.ts';
import { oneOf, withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { DiffusionNetwork } from '../networks/diffusion-network.ts';
import { type DiffusionPipeline, diffusionInfo, diffusionOf, type ProcessSettings } from '../pipeline.ts';
import { defaultsOf } from '../setting.ts';
import { DIFFUSION_TABLE } from '../settings.ts';
import { requirement, requirePictures } from './check.ts';
import { Trainer } from './loop.ts';
import { warmCosineLr } from './rates.ts';
import type { Recipe } from './recipe.ts';
import { RESUME_DEFAULTS, type ResumeOptions, resumeRun, settingsOf } from './resume.ts';
import { testLoss } from './test-loss.ts';

/** The settings of a run: those of its process and of its training. */
export interface DiffusionSettings extends ProcessSettings {
  readonly lossWeighting: LossWeighting;
  readonly times: TimeSamplingName;
  readonly epochs: number;
  readonly batchSize: number;
  /** Adam's learning rate after the warm-up. */
  readonly lr: number;
  /** Adam's second decay. */
  readonly beta2: number;
  /** The largest norm of the gradient; 0 for any. */
  readonly clip: number;
  /** The learning rate at the end, as a share of `lr`. */
  readonly finalLr: number;
  /** Decay of the moving average. */
  readonly ema: number;
  /** The share of labels that are withheld, 0 to 1. */
  readonly labelDropout: number;
  readonly seed: Seed;
}

const { model: _network, seconds: _limit, tones: _name, ...defaults } = defaultsOf(DIFFUSION_TABLE);
export const DIFFUSION_SETTINGS: Required<DiffusionSettings> = { ...defaults, tones: [], cuts: [] };

const BETA1 = 0.9;
const TEST_PICTURES = 2000;
const TEST_BATCH = 250;

export class DiffusionRecipe implements Recipe {
  readonly module: DiffusionNetwork;
  readonly streams: Record<'training', Rng>;
  readonly ema: number;
  readonly betas: readonly [number, number];
  readonly clip: number;
  private readonly objective: Objective;

  /** @throws ValueError for settings out of range, ShapeError for pictures that are not of the network's size */
  constructor(
    readonly model: DiffusionPipeline,
    readonly data: TrainTest,
    readonly settings: DiffusionSettings,
  ) {
    const { predicts, lossWeighting, times, beta2, clip, finalLr, labelDropout, seed } = settings;
    requirement(clip >= 0 && clip < Infinity, 'clip >= 0', clip);
    requirement(finalLr >= 0 && finalLr <= 1, 'finalLr from 0 to 1', finalLr);
    requirement(labelDropout >= 0 && labelDropout <= 1, 'labelDropout from 0 to 1', labelDropout);
    const { classes } = model.network.sizes;
    const expected = pictureName(model.network.sizes);
    requirePictures(data, expected, (set) => pictureName(set) === expected);
    const most = Math.max(data.train.classes, data.test.classes);
    requirement(classes === 0 || most <= classes, `at most ${classes} classes`, most);
    this.module = model.network;
    this.ema = settings.ema;
    this.betas = [BETA1, beta2];
    this.clip = clip;
    this.objective = new Objective(model.schedule, { predicts, lossWeighting, times });
    this.streams = { training: new Rng(seed).stream('training') };
  }

  get info(): CheckpointInfo {
    const { seed, tones: _tones, cuts: _cuts, ...settings } = this.settings;
    return { ...diffusionInfo(this.model, settings), seed };
  }

  schedule(lr: number, steps: number): LrSchedule {
    return warmCosineLr(lr, steps, this.settings.finalLr * lr);
  }

  loss({ images, labels }: Batch): Tensor {
    const known = this.dropLabels(labels);
    return this.objective.loss(this.conditioned(known), this.model.encode(images), this.streams.training);
  }

  test(): number {
    const { predicts, lossWeighting, seed } = this.settings;
    const rng = new Rng(seed).stream('test');
    const even = new Objective(this.model.schedule, { predicts, lossWeighting, times: 'stratified' });
    return testLoss(take(this.data.test, TEST_PICTURES), TEST_BATCH, ({ images, labels }) => {
      const known = this.model.classes > 0 ? Array.from(labels) : Array(labels.length).fill(null);
      return even.loss(this.conditioned(known), this.model.encode(images), rng);
    });
  }

  /** The labels of this step's condition: null where dropout hides one. */
  private dropLabels(labels: Uint8Array): Labels {
    if (this.model.classes === 0) return Array(labels.length).fill(null);
    const words = this.streams.training.bits(labels.length);
    const { labelDropout } = this.settings;
    return Array.from(labels, (label, i) => (words[i] < labelDropout * 2 ** 32 ? null : label));
  }

  private conditioned(labels: Labels) {
    return (x: Tensor, t: ArrayLike<number>) => this.model.predictEach(x, t, labels);
  }
}

/**
 * A run at its beginning.
 * @param limitSeconds ends it after this time of training
 * @throws ValueError for settings out of range, ShapeError for pictures that are not of the network's size
 */
export function diffusionTrainer(
  model: DiffusionPipeline,
  data: TrainTest,
  settings: DiffusionSettings,
  limitSeconds?: number,
): Trainer<DiffusionRecipe> {
  const given = withDefaults('training', settings, DIFFUSION_SETTINGS);
  const lossWeighting = oneOf('weight', LOSS_WEIGHTINGS, given.lossWeighting);
  const times = oneOf('times', TIME_SAMPLINGS, given.times);
  const filled = { ...given, ...model.settings, lossWeighting, times };
  const { epochs, lr, batchSize, seed } = filled;
  const recipe = new DiffusionRecipe(model, data, filled);
  const loader = new DataLoader(data.train, { batchSize, seed });
  return new Trainer(recipe, loader, { epochs, lr, limitSeconds });
}

/**
 * A run that goes on where the file's run was.
 * @throws FormatError for a file that holds no such run, or one on other data
 */
export function resumeDiffusion(
  checkpoint: Checkpoint,
  data: TrainTest,
  options: ResumeOptions = {},
): Trainer<DiffusionRecipe> {
  const { epochs, limitSeconds } = withDefaults('resumeDiffusion', options, RESUME_DEFAULTS);
  const settings = settingsOf(checkpoint, DIFFUSION_SETTINGS);
  const model = diffusionOf(checkpoint);
  return resumeRun(checkpoint, model.network, () =>
    diffusionTrainer(model, data, { ...settings, epochs: epochs ?? settings.epochs }, limitSeconds),
  );
}
