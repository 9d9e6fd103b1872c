/**
 * Training of the denoiser, as a generator of events: progress bars, plots, checkpoints and pages live outside
 * the loop, which ends where its caller stops asking.
 *
 *     noisy = x + noise·eps, eps ~ N(0, 1);   loss = mean (model(noisy) - x)²;   Adam
 *
 * The noisy picture is not clipped to [0, 1]: what was clipped would tell the model less about the pixel. Every
 * epoch draws new noise. The test loss is the mean over the whole test set under noise of a stream of its own,
 * the same after every epoch, so that epochs are compared on the same noisy pictures.
 *
 * The same model and options give the same losses, bit for bit, on the strict build.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import type { Dataset } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import { DivergenceError, ShapeError, ValueError } from '../../errors.ts';
import { Adam } from '../../optim/adam.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import { mse, type Tensor } from '../../tensor/tensor.ts';
import type { Denoiser } from '../networks/denoiser.ts';
import { defaultsOf } from '../setting.ts';
import { DENOISER_TABLE } from '../settings.ts';
import { requireFinite, Snapshot, Tally } from './loop.ts';

/** What a run can be told. */
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

/** The lecture's settings. */
export const DENOISER_SETTINGS: DenoiserSettings = defaultsOf(DENOISER_TABLE);

export interface TrainDenoiserOptions extends Partial<DenoiserSettings> {
  readonly train: Dataset;
  /** Never learnt from. */
  readonly test: Dataset;
  /** Batches from one batch event to the next; 100 by default. The last batch of an epoch has one too. */
  readonly every?: number;
}

/** Epochs and batches count from 1. */
export interface BatchEvent {
  readonly type: 'batch';
  readonly epoch: number;
  readonly batch: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** The mean over the pictures since the last batch event. */
  readonly loss: number;
  readonly imagesPerSecond: number;
}

export interface EpochEvent {
  readonly type: 'epoch';
  readonly epoch: number;
  /** The mean over the epoch's pictures, each as it was seen: the model was changing. */
  readonly trainLoss: number;
  readonly testLoss: number;
  /** Spent on training: without the test, and without what the caller did between events. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

export type TrainEvent = BatchEvent | EpochEvent;

/** x + noise·eps with eps ~ N(0, 1) from `rng`; not clipped. */
export function addNoise(x: Tensor, noise: number, rng: Rng): Tensor {
  return x.add(rng.normal(x.shape).mul(noise));
}

const TEST_BATCH = 256;

/**
 * The mean squared error of `model` over all pictures of `dataset` under noise that follows from the seed alone.
 */
export function testDenoiser(model: Denoiser, dataset: Dataset, noise: number, seed: Seed): number {
  const rng = new Rng(seed).stream('test noise');
  const loader = new DataLoader(dataset, { batchSize: TEST_BATCH });
  const tally = new Tally();
  for (const { images } of loader) {
    const loss = scope(() => noGrad(() => mse(model.forward(addNoise(images, noise, rng)), images).item()));
    tally.add(loss, images.shape[0]);
  }
  loader.dispose();
  return tally.loss;
}

/** One pass over the training set; returns its tally. `step` takes clean pictures and returns their loss. */
function* trainEpoch(
  epoch: number,
  loader: DataLoader,
  every: number,
  step: (clean: Tensor) => number,
): Generator<BatchEvent, Tally> {
  const { batches } = loader;
  const whole = new Tally();
  let recent = new Tally();
  for (let batch = 1; batch <= batches; batch++) {
    const started = performance.now();
    const { images } = loader.next();
    const loss = step(images);
    const seconds = (performance.now() - started) / 1000;
    requireFinite(loss, epoch, `batch ${batch} of ${batches}`);
    whole.add(loss, images.shape[0], seconds);
    recent.add(loss, images.shape[0], seconds);
    if (batch % every === 0 || batch === batches) {
      const { loss, imagesPerSecond } = recent;
      yield { type: 'batch', epoch, batch, batches, loss, imagesPerSecond };
      recent = new Tally();
    }
  }
  return whole;
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
export function* trainDenoiser(model: Denoiser, options: TrainDenoiserOptions): Generator<TrainEvent, void> {
  const settings = { ...DENOISER_SETTINGS, every: 100, ...options };
  check(model, settings);
  const { train, test, epochs, batchSize, lr, noise, seed, every } = settings;
  const loader = new DataLoader(train, { batchSize, seed });
  const optimizer = new Adam(model.parameters(), { lr });
  const snapshot = new Snapshot(model.parameters());
  const rng = new Rng(seed).stream('training noise');
  const step = (clean: Tensor): number =>
    scope(() => {
      optimizer.zeroGrad();
      const loss = mse(model.forward(addNoise(clean, noise, rng)), clean);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const { loss: trainLoss, seconds, imagesPerSecond } = yield* trainEpoch(epoch, loader, every, step);
      const testLoss = testDenoiser(model, test, noise, seed);
      requireFinite(testLoss, epoch, 'on the test set');
      snapshot.update();
      yield { type: 'epoch', epoch, trainLoss, testLoss, seconds, imagesPerSecond };
    }
  } catch (error) {
    if (error instanceof DivergenceError) snapshot.restore();
    throw error;
  } finally {
    loader.dispose();
    snapshot.dispose();
  }
}

function check(model: Denoiser, settings: Required<TrainDenoiserOptions>): void {
  const { epochs, batchSize, every, lr, noise, train, test } = settings;
  for (const [name, value] of Object.entries({ epochs, batchSize, every })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ValueError(`trainDenoiser: expected ${name} to be a whole number >= 1, got ${value}`);
    }
  }
  if (!(lr > 0 && lr < Infinity)) throw new ValueError(`trainDenoiser: expected lr > 0, got ${lr}`);
  if (!(noise >= 0 && noise < Infinity))
    throw new ValueError(`trainDenoiser: expected noise >= 0, got ${noise}`);
  for (const { name, height, width } of [train, test]) {
    if (height * width === model.sizes.inputs) continue;
    throw new ShapeError(
      `trainDenoiser: expected pictures of ${model.sizes.inputs} pixels, got ${name} with ${height}x${width}`,
    );
  }
}
