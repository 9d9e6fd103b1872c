/**
 * The part that the recipes of all classifiers share. The loss is cross-entropy, and the optimizer is Adam. The
 * learning rate follows half a cosine down to 0.
 */
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

/** The settings of the training of a classifier. */
export interface ClassifierSettings {
  /** Passes over the training pictures. */
  readonly epochs: number;
  /** Pictures in a batch. */
  readonly batchSize: number;
  /** Adam's largest learning rate. */
  readonly lr: number;
  /** The seed of the order of the pictures and of their augmentation. */
  readonly seed: Seed;
}

/** The base class of the classifiers' recipes. A subclass defines how a batch of pictures becomes logits. */
export abstract class CrossEntropyRecipe implements Recipe {
  abstract readonly module: Module;
  abstract readonly info: CheckpointInfo;
  abstract readonly streams: Record<string, Rng>;
  /** Label smoothing: the part of the target probability that is spread equally over all classes. */
  protected readonly labelSmoothing: number = 0;

  /** Augments a batch of pictures in [0, 1], and returns the classifier's logits `[batch, classes]`. */
  protected abstract logits(images: Tensor): Tensor;

  loss({ images, labels }: Batch): Tensor {
    return crossEntropy(this.logits(images), labels, { labelSmoothing: this.labelSmoothing });
  }

  schedule(lr: number, steps: number): LrSchedule {
    return cosineLr(lr, { steps });
  }
}

/** A new run of a classifier's recipe. @throws ValueError for settings out of range */
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
