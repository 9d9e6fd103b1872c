/**
 * Recipe of the classifier of noised pictures, which guides a diffusion model. Loss, optimizer and learning rate are
 * those of cross-entropy.ts. The pictures are in [-1, 1]. Each gets the noise of a random time. The times are uniform
 * over the noise schedule of the diffusion model.
 */
import type { CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { Objective } from '../../diffusion/objective.ts';
import { diffuseEach } from '../../diffusion/process.ts';
import { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { NoiseClassifier } from '../networks/noise-classifier.ts';
import { type ClassifierSettings, CrossEntropyRecipe, crossEntropyTrainer } from './cross-entropy.ts';
import type { TrainEvent } from './events.ts';
import { train } from './loop.ts';

/** The recipe that this file's header describes. */
export class NoiseClassifierRecipe extends CrossEntropyRecipe {
  readonly streams: Record<'noise', Rng>;
  private readonly objective: Objective;

  constructor(
    readonly module: NoiseClassifier,
    readonly settings: ClassifierSettings,
  ) {
    super();
    this.streams = { noise: new Rng(settings.seed).stream('noise') };
    this.objective = new Objective(module.schedule);
  }

  get info(): CheckpointInfo {
    const { seed, ...settings } = this.settings;
    const { sizes, noise } = this.module;
    return { kind: NoiseClassifier.kind, sizes: { ...sizes }, settings: { ...noise, ...settings }, seed };
  }

  protected logits(images: Tensor): Tensor {
    const { noise } = this.streams;
    const times = this.objective.times(images.shape[0], noise);
    const x0 = this.module.encode(images);
    const levels = Array.from(times, (t) => this.module.schedule.level(t));
    const x = diffuseEach(x0, levels, noise.normalInto(x0.empty(x0.shape)));
    return this.module.forward(x, times);
  }
}

/**
 * Trains a classifier of noised pictures in place, and yields the events of the run.
 * @throws ValueError for settings out of range
 * @throws DivergenceError as `trainDenoiser`
 */
export function* trainNoiseClassifier(
  model: NoiseClassifier,
  data: TrainTest,
  settings: ClassifierSettings,
): Generator<TrainEvent, void> {
  yield* train(crossEntropyTrainer(new NoiseClassifierRecipe(model, settings), data, settings));
}
