/**
 * Recipe of the denoisers. The optimizer is Adam with a constant learning rate.
 *
 *     noisy = x + noise·eps, eps ~ N(0, 1)
 *     loss  = mean (model(noisy) - x)²
 *
 * The noisy picture is not clipped to [0, 1], because clipping would remove information about the pixel. Every epoch
 * draws new noise. The test loss is the mean over the whole test set. Its noise is the same after every epoch.
 *
 * With strict numerics, the same model and the same options give the same losses, bit for bit.
 */
import type { Checkpoint, CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import { type Dataset, pictureSize, type TrainTest } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import { withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { mse } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { ConvDenoiser } from '../networks/conv-denoiser.ts';
import { Denoiser } from '../networks/denoiser.ts';
import type { PictureDenoiser } from '../networks/picture-denoiser.ts';
import { denoiserOf } from '../networks/registry.ts';
import { defaultsOf } from '../setting.ts';
import { DENOISER_TABLE, type DenoiserNetworkName } from '../settings.ts';
import { requirement, requirePictures } from './check.ts';
import type { TrainEvent } from './events.ts';
import { Trainer, train } from './loop.ts';
import { type Recipe, RUN_DEFAULTS } from './recipe.ts';
import { RESUME_DEFAULTS, type ResumeOptions, resumeRun, settingsOf } from './resume.ts';
import { testLoss } from './test-loss.ts';

/** The settings of a run. */
export interface DenoiserSettings {
  /** Passes over the training pictures. */
  readonly epochs: number;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Adam's learning rate. */
  readonly lr: number;
  /** The standard deviation of the noise. Pixels are in [0, 1]. */
  readonly noise: number;
  /** The seed of the shuffle and of the noise. */
  readonly seed: Seed;
}

const { model: _network, ...defaults } = defaultsOf(DENOISER_TABLE);
/** The lecture's settings. */
export const DENOISER_SETTINGS: DenoiserSettings = defaults;

/** Options of `trainDenoiser`: pictures and settings. */
export interface TrainDenoiserOptions extends Partial<DenoiserSettings> {
  /** The pictures that the model learns from. */
  readonly train: Dataset;
  /** The test set. The model is not trained on it. */
  readonly test: Dataset;
  /** The number of batches per batch event. The last batch of an epoch always has an event. Default 1. */
  readonly every?: number | undefined;
  /** The time limit of training in seconds. Default: no limit. */
  readonly limitSeconds?: number | undefined;
}

/** x + noise·eps with eps ~ N(0, 1) from `rng`, of x's shape. The result is not clipped. */
export function addNoise(x: Tensor, noise: number, rng: Rng): Tensor {
  return x.add(rng.normal(x.shape).mul(noise));
}

const TEST_BATCH = 256;

/** The mean squared error of `model` over all pictures of `dataset`. The noise is a function of the seed only. */
export function testDenoiser(model: PictureDenoiser, dataset: Dataset, noise: number, seed: Seed): number {
  const rng = new Rng(seed).stream('test noise');
  return testLoss(dataset, TEST_BATCH, ({ images }) =>
    mse(model.forward(addNoise(images, noise, rng)), images),
  );
}

/** The recipe of a denoiser `module`, trained on `data` with these `settings`. */
export class DenoiserRecipe implements Recipe {
  readonly streams: Record<'noise', Rng>;

  /**
   * @throws ValueError unless the noise is finite and >= 0
   * @throws ShapeError for pictures that do not have the model's size
   */
  constructor(
    readonly module: PictureDenoiser,
    readonly data: TrainTest,
    readonly settings: DenoiserSettings,
  ) {
    const { noise, seed } = settings;
    requirement(noise >= 0 && noise < Infinity, 'noise >= 0', noise);
    requirePictures(data, module.takes, (set) => module.fits(set));
    this.streams = { noise: new Rng(seed).stream('training noise') };
  }

  get info(): CheckpointInfo {
    const { seed, ...settings } = this.settings;
    const { kind, sizes } = this.module;
    return { kind, sizes: { ...sizes }, settings, seed };
  }

  loss({ images }: Batch): Tensor {
    return mse(this.module.forward(addNoise(images, this.settings.noise, this.streams.noise)), images);
  }

  test(): number {
    const { noise, seed } = this.settings;
    return testDenoiser(this.module, this.data.test, noise, seed);
  }
}

/**
 * A new run.
 * @throws ValueError for settings out of range
 * @throws ShapeError for pictures that do not have the model's size
 */
export function denoiserTrainer(
  model: PictureDenoiser,
  options: TrainDenoiserOptions,
): Trainer<DenoiserRecipe> {
  const filled = withDefaults('trainDenoiser', options, { ...DENOISER_SETTINGS, ...RUN_DEFAULTS });
  const { train, test, every, limitSeconds, ...settings } = filled;
  const { epochs, lr, batchSize, seed } = settings;
  const recipe = new DenoiserRecipe(model, { train, test }, settings);
  return new Trainer(recipe, new DataLoader(train, { batchSize, seed }), { epochs, lr, every, limitSeconds });
}

/**
 * A run of a new network at its beginning. The initial values follow from the seed.
 * @throws ValueError, ShapeError
 */
export function newDenoiserTrainer(
  name: DenoiserNetworkName,
  options: TrainDenoiserOptions & Pick<DenoiserSettings, 'seed'>,
): Trainer<DenoiserRecipe> {
  const rng = new Rng(options.seed).stream('initial values');
  const { height, width, channels } = options.train;
  const model =
    name === 'conv'
      ? new ConvDenoiser({ height, width, channels }, rng)
      : new Denoiser({ inputs: pictureSize(options.train), rng });
  return denoiserTrainer(model, options);
}

/**
 * Trains `model` in place, and yields the events of the run.
 *
 * If a loss becomes NaN or infinite, the model gets its parameters from the end of the last epoch, or its initial
 * values in the first epoch. Then the function throws.
 *
 * @throws ValueError for settings out of range
 * @throws ShapeError for pictures that do not have the model's size
 * @throws DivergenceError for a loss that is NaN or infinite, with the epoch and the batch
 */
export function* trainDenoiser(
  model: PictureDenoiser,
  options: TrainDenoiserOptions,
): Generator<TrainEvent, void> {
  yield* train(denoiserTrainer(model, options));
}

/**
 * Resumes the run in a checkpoint.
 * @throws FormatError for a file without a run of a denoiser, or with a run on other data
 */
export function resumeDenoiser(
  checkpoint: Checkpoint,
  data: TrainTest,
  options: ResumeOptions = {},
): Trainer<DenoiserRecipe> {
  const { epochs, limitSeconds } = withDefaults('resumeDenoiser', options, RESUME_DEFAULTS);
  const settings = settingsOf(checkpoint, DENOISER_SETTINGS);
  const model = denoiserOf(checkpoint);
  return resumeRun(checkpoint, model, () =>
    denoiserTrainer(model, { ...data, ...settings, epochs: epochs ?? settings.epochs, limitSeconds }),
  );
}
