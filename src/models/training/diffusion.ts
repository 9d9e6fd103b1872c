/**
 * Recipe of a diffusion network.
 *
 *     data       x0 in [-1, 1], from pixels by the tones of the model (tones.ts)
 *     loss       diffusion/objective.ts, with random t and eps
 *     labels     a random fraction `labelDropout` of the labels is replaced by "no label"
 *     captions   for a network that takes captions, instead of labels: captions/. Each step writes new ones. A random
 *                fraction `labelDropout` is replaced by "no caption". Held-out combinations are left out.
 *     optimizer  Adam. The learning rate has a warm-up, and then follows half a cosine down to finalLr·lr.
 *     gradients  clipped to the norm `clip`, if it is not 0
 *     average    an exponential moving average of the network's parameters
 *
 * One random stream gives the captions, the dropped labels, t and eps. The test loss is that of the averaged parameters,
 * on at most 2,000 test pictures, the first ones. Its noise is the same after every epoch, and so are its times. The
 * times are stratified.
 */
import type { Checkpoint, CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import { pictureName, type TrainTest, take } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import type { DiscreteSchedule } from '../../diffusion/discrete-schedule.ts';
import type { Conditions } from '../../diffusion/guidance.ts';
import { hybridLoss } from '../../diffusion/learned-variance.ts';
import {
  LOSS_WEIGHTINGS,
  type LossWeighting,
  type Network,
  Objective,
  TIME_SAMPLINGS,
  type TimeSamplingName,
} from '../../diffusion/objective.ts';
import type { LrSchedule } from '../../optim/lr-schedule.ts';
import { oneOf, withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type CaptionedData, type CaptionedSet, captionedData, captionOf } from '../captions/captioned.ts';
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

/** The settings of a run: the settings of the process and those of the training. */
export interface DiffusionSettings extends Omit<ProcessSettings, 'student'> {
  /** The weight of each time in the loss. */
  readonly lossWeighting: LossWeighting;
  /** The distribution of the times. */
  readonly times: TimeSamplingName;
  /** Passes over the training pictures. */
  readonly epochs: number;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Adam's learning rate after the warm-up. */
  readonly lr: number;
  /** Adam's decay of the second moment. */
  readonly beta2: number;
  /** The largest norm of the gradient. 0 means no clipping. */
  readonly clip: number;
  /** The learning rate at the end, as a fraction of `lr`. */
  readonly finalLr: number;
  /** The decay of the moving average. */
  readonly ema: number;
  /** The fraction of labels or captions that training drops, 0 to 1. */
  readonly labelDropout: number;
  /** The seed of the order of the pictures, of times, noise and dropped labels. */
  readonly seed: Seed;
}

const {
  model: _network,
  variance: _variance,
  condition: _condition,
  seconds: _limit,
  tones: _name,
  ...defaults
} = defaultsOf(DIFFUSION_TABLE);
/** The default settings. */
export const DIFFUSION_SETTINGS: Required<DiffusionSettings> = {
  ...defaults,
  tones: [],
  cuts: [],
  kinds: [],
};

/** Adam's decay of the first moment. */
export const BETA1 = 0.9;
const TEST_PICTURES = 2000;
const TEST_BATCH = 250;

/** The recipe of a diffusion `model`, whose network is trained on `data` with these `settings`. */
export class DiffusionRecipe implements Recipe {
  readonly module: DiffusionNetwork;
  readonly streams: Record<'training', Rng>;
  readonly ema: number;
  readonly betas: readonly [number, number];
  readonly clip: number;
  /** The pictures of the run: with captions, those without the held-out combinations. */
  readonly data: TrainTest;
  /** The captions of the pictures. Null for a network that takes no captions. */
  private readonly captions: CaptionedData | null;
  private readonly objective: Objective;

  /**
   * @throws ValueError for settings out of range, or pictures that captions have no words for
   * @throws ShapeError for pictures that do not have the network's size
   */
  constructor(
    readonly model: DiffusionPipeline,
    data: TrainTest,
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
    if (model.network.learnsVariance) {
      requirement(
        lossWeighting === 'simple',
        'the loss weighting simple for a learnt variance',
        lossWeighting,
      );
      requirement(!model.settings.tones, 'linear tones for a learnt variance', 'spread ones');
    }
    requirement(!model.settings.student, 'a model that is not a student', 'one');
    this.captions = model.takesCaptions ? captionedData(data) : null;
    this.data = this.captions
      ? { train: this.captions.train.dataset, test: this.captions.test.dataset }
      : data;
    this.module = model.network;
    this.ema = settings.ema;
    this.betas = [BETA1, beta2];
    this.clip = clip;
    this.objective = new Objective(model.schedule, { predicts, lossWeighting, times });
    this.streams = { training: new Rng(seed).stream('training') };
  }

  get info(): CheckpointInfo {
    const { seed, tones: _tones, cuts: _cuts, kinds: _kinds, ...settings } = this.settings;
    return { ...diffusionInfo(this.model, settings), seed };
  }

  schedule(lr: number, steps: number): LrSchedule {
    return warmCosineLr(lr, steps, this.settings.finalLr * lr);
  }

  loss(batch: Batch): Tensor {
    const { images } = batch;
    const known = this.conditionsOf(batch);
    const { model, streams } = this;
    const x0 = model.encode(images);
    if (!model.network.learnsVariance) {
      return this.objective.loss(this.conditioned(known), x0, streams.training);
    }
    const network: Network = (x, t) => model.outputEach(x, t, known);
    const { predicts, times } = this.settings;
    return hybridLoss(network, model.schedule as DiscreteSchedule, x0, streams.training, { predicts, times });
  }

  test(): number {
    const { predicts, lossWeighting, seed } = this.settings;
    const rng = new Rng(seed).stream('test');
    const even = new Objective(this.model.schedule, { predicts, lossWeighting, times: 'stratified' });
    return testLoss(take(this.data.test, TEST_PICTURES), TEST_BATCH, (batch) => {
      const { images, labels } = batch;
      const known: Conditions =
        this.captions !== null
          ? captionsOf(this.captions.test, `${seed}/test`, batch)
          : this.model.classes > 0
            ? Array.from(labels)
            : Array(labels.length).fill(null);
      return even.loss(this.conditioned(known), this.model.encode(images), rng);
    });
  }

  /** The labels or captions for one step. A dropped one is null. */
  private conditionsOf(batch: Batch): Conditions {
    const { labels } = batch;
    const { training } = this.streams;
    if (!this.model.isConditional) return Array(labels.length).fill(null);
    const known: Conditions = this.captions
      ? captionsOf(this.captions.train, training.bits(1)[0], batch)
      : Array.from(labels);
    const words = training.bits(labels.length);
    const { labelDropout } = this.settings;
    return known.map((condition, i) => (words[i] < labelDropout * 2 ** 32 ? null : condition));
  }

  private conditioned(labels: Conditions) {
    return (x: Tensor, t: ArrayLike<number>) => this.model.predictEach(x, t, labels);
  }
}

/** A caption for each picture of a batch. @throws ValueError for a batch whose pictures are not from a data set */
function captionsOf(set: CaptionedSet, seed: string | number, { indices }: Batch): string[] {
  requirement(indices !== undefined, 'a batch of a data set', 'one without indices');
  return Array.from(indices!, (index) => captionOf(set, seed, index).text);
}

/**
 * A new run.
 * @param limitSeconds the time limit of training in seconds. Default: no limit
 * @throws ValueError for settings out of range
 * @throws ShapeError for pictures that do not have the network's size
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
  const loader = new DataLoader(recipe.data.train, { batchSize, seed });
  return new Trainer(recipe, loader, { epochs, lr, limitSeconds });
}

/**
 * Resumes the run in a checkpoint.
 * @throws FormatError for a file without a run of a diffusion model, or with a run on other data
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
