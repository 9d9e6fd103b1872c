/**
 * Recipe of the denoisers:
 *
 *     noisy = x + noise·eps, eps ~ N(0, 1);   loss = mean (model(noisy) - x)²;   Adam at a constant rate
 *
 * The noisy picture is not clipped to [0, 1]: what was clipped would tell the model less about the pixel. Every
 * epoch draws new noise. The test loss is the mean over the whole test set, with the same noise after every epoch.
 *
 * The same model and options give the same losses, bit for bit, on the strict build.
 */
import type { Checkpoint, CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { Dataset, TrainTest } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import { withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { mse } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { PictureDenoiser } from '../networks/picture-denoiser.ts';
import { denoiserOf } from '../networks/registry.ts';
import { defaultsOf } from '../setting.ts';
import { DENOISER_TABLE } from '../settings.ts';
import { requirement, requirePictures } from './check.ts';
import type { TrainEvent } from './events.ts';
import { Trainer, train } from './loop.ts';
import { type Recipe, RUN_DEFAULTS } from './recipe.ts';
import { RESUME_DEFAULTS, type ResumeOptions, resumeRun, settingsOf } from './resume.ts';
import { testLoss } from './test-loss.ts';

/** The settings of a run. */
export interface DenoiserSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Adam's learning rate. */
  readonly lr: number;
  /** Standard deviation of the noise; the pixels of a picture are in [0, 1]. */
  readonly noise: number;
  /** What the shuffle and the noise follow from. */
  readonly seed: Seed;
}

const { model: _network, ...defaults } = defaultsOf(DENOISER_TABLE);
/** The lecture's settings. */
export const DENOISER_SETTINGS: DenoiserSettings = defaults;

export interface TrainDenoiserOptions extends Partial<DenoiserSettings> {
  readonly train: Dataset;
  /** Never learnt from. */
  readonly test: Dataset;
  /** Batches from one batch event to the next; 1 by default. The last batch of an epoch has one too. */
  readonly every?: number | undefined;
  /** Ends the run after this time of training; no limit by default. */
  readonly limitSeconds?: number | undefined;
}

/** x + noise·eps with eps ~ N(0, 1) from `rng`; not clipped. */
export function addNoise(x: Tensor, noise: number, rng: Rng): Tensor {
  return x.add(rng.normal(x.shape).mul(noise));
}

const TEST_BATCH = 256;

/**
 * The mean squared error of `model` over all pictures of `dataset` under noise that follows from the seed alone.
 */
export function testDenoiser(model: PictureDenoiser, dataset: Dataset, noise: number, seed: Seed): number {
  const rng = new Rng(seed).stream('test noise');
  return testLoss(dataset, TEST_BATCH, ({ images }) =>
    mse(model.forward(addNoise(images, noise, rng)), images),
  );
}

export class DenoiserRecipe implements Recipe {
  readonly streams: Record<'noise', Rng>;

  /** @throws ValueError for a noise that is none, ShapeError for pictures that are not of the model's size */
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

/** A run at its beginning. @throws ValueError, ShapeError */
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
 * Trains `model`, and yields as it goes.
 *
 * Should a loss become NaN or infinite, the model is put back to where it was after the last epoch that ended
 * well, or else at the start, before the error is thrown.
 *
 * @throws ValueError for settings out of range, ShapeError for pictures that are not of the model's size
 * @throws DivergenceError that names the epoch and the batch
 */
export function* trainDenoiser(
  model: PictureDenoiser,
  options: TrainDenoiserOptions,
): Generator<TrainEvent, void> {
  yield* train(denoiserTrainer(model, options));
}

/**
 * A run that goes on where the file's run was.
 * @throws FormatError for a file that holds no such run, or one on other data
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
