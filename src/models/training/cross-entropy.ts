/** What the recipes of all classifiers share: cross-entropy, and Adam at a rate that falls along half a cosine to 0. */
import type { CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { type Batch, DataLoader } from '../../data/loader.ts';
import { crossEntropy } from '../../nn/loss.ts';
import type { Module } from '../../nn/module.ts';
import { cosineLr, type LrSchedule } from '../../optim/lr-schedule.ts';
import { withDefaults } from '../../options.ts';
import type { Rng, Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Trainer } from './loop.ts';
import type { Recipe } from './recipe.ts';

export interface ClassifierSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: Seed;
}

/** Any classifier's recipe; what its pictures go through is its own. */
export abstract class CrossEntropyRecipe implements Recipe {
  abstract readonly module: Module;
  abstract readonly info: CheckpointInfo;
  abstract readonly streams: Record<string, Rng>;
  /** The share of probability that is spread over all classes. */
  protected readonly labelSmoothing: number = 0;

  /** Of a batch of pictures in [0, 1], changed at random as the classifier is to see them. */
  protected abstract logits(images: Tensor): Tensor;

  loss({ images, labels }: Batch): Tensor {
    return crossEntropy(this.logits(images), labels, { labelSmoothing: this.labelSmoothing });
  }

  schedule(lr: number, steps: number): LrSchedule {
    return cosineLr(lr, { steps });
  }
}

/** A run at its beginning. @throws ValueError */
export function crossEntropyTrainer<R extends CrossEntropyRecipe>(
  recipe: R,
  { train }: Pick<TrainTest, 'train'>,
  settings: ClassifierSettings,
  limitSeconds?: number,
): Trainer<R> {
  const { epochs, lr, batchSize, seed } = withDefaults('training', settings, {
    epochs: undefined,
    lr: undefined,
    batchSize: undefined,
    seed: undefined,
  });
  return new Trainer(recipe, new DataLoader(train, { batchSize, seed }), { epochs, lr, limitSeconds });
}
