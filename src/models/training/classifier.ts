/**
 * Recipe of the classifiers: cross-entropy, and Adam at a rate that falls along half a cosine to 0. The one that judges
 * samples sees its pictures shifted by up to two pixels either way, anew in every epoch. There is no test loss:
 * `accuracy` is what counts.
 */
import type { CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import { affineSample } from '../../data/transforms.ts';
import { crossEntropy } from '../../nn/loss.ts';
import type { Module } from '../../nn/module.ts';
import { cosineLr, type LrSchedule } from '../../optim/lr-schedule.ts';
import { withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Classifier } from '../networks/classifier.ts';
import type { TrainEvent } from './events.ts';
import { Trainer, train } from './loop.ts';
import type { Recipe } from './recipe.ts';

export interface ClassifierSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: Seed;
}

const MOST_SHIFT = 2;

/** Any classifier's recipe; what its pictures go through is its own. */
export abstract class CrossEntropyRecipe implements Recipe {
  abstract readonly module: Module;
  abstract readonly info: CheckpointInfo;
  abstract readonly streams: Record<string, Rng>;

  /** Of a batch of pictures in [0, 1], changed at random as the classifier is to see them. */
  protected abstract logits(images: Tensor): Tensor;

  loss({ images, labels }: Batch): Tensor {
    return crossEntropy(this.logits(images), labels);
  }

  schedule(lr: number, steps: number): LrSchedule {
    return cosineLr(lr, { steps });
  }
}

export class ClassifierRecipe extends CrossEntropyRecipe {
  readonly streams: Record<'shifts', Rng>;

  constructor(
    readonly module: Classifier,
    readonly settings: ClassifierSettings,
  ) {
    super();
    this.streams = { shifts: new Rng(settings.seed).stream('shifts') };
  }

  get info(): CheckpointInfo {
    const { seed, ...settings } = this.settings;
    return { kind: Classifier.kind, sizes: { ...this.module.sizes }, settings, seed };
  }

  protected logits(images: Tensor): Tensor {
    return this.module.forward(shifted(images, this.streams.shifts));
  }
}

/** A run at its beginning. @throws ValueError */
export function crossEntropyTrainer<R extends CrossEntropyRecipe>(
  recipe: R,
  { train }: TrainTest,
  settings: ClassifierSettings,
): Trainer<R> {
  const { epochs, lr, batchSize, seed } = withDefaults('training', settings, {
    epochs: undefined,
    lr: undefined,
    batchSize: undefined,
    seed: undefined,
  });
  return new Trainer(recipe, new DataLoader(train, { batchSize, seed }), { epochs, lr });
}

/**
 * Trains a classifier of clean pictures in place, and yields as it goes.
 * @throws ValueError for settings out of range, DivergenceError as `trainDenoiser`
 */
export function* trainClassifier(
  model: Classifier,
  data: TrainTest,
  settings: ClassifierSettings,
): Generator<TrainEvent, void> {
  yield* train(crossEntropyTrainer(new ClassifierRecipe(model, settings), data, settings));
}

/** The pictures, each moved by -2 to 2 pixels down and across; what enters is black. */
function shifted(images: Tensor, rng: Rng): Tensor {
  const size = 2 * MOST_SHIFT + 1;
  const maps = Array.from(rng.bits(images.shape[0]), (word) => {
    const at = Math.floor((word / 2 ** 32) * size * size);
    const [down, across] = [Math.floor(at / size) - MOST_SHIFT, (at % size) - MOST_SHIFT];
    return [1, 0, -across, 0, 1, -down];
  });
  return affineSample(images, maps.flat());
}
