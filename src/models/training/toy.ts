/**
 * Recipe of a diffusion model in the plane. The loss is the diffusion objective at stratified times. The optimizer is
 * Adam, and its learning rate follows half a cosine down to 0. The final model is a moving average of the parameters.
 *
 * Every step draws new points, so a run has one epoch. There is no test loss, because `compareScores` compares the model
 * with the exact score.
 */
import type { CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { Batch, LoaderPosition } from '../../data/loader.ts';
import type { ToySet } from '../../data/toy.ts';
import { Objective } from '../../diffusion/objective.ts';
import { cosineLr, type LrSchedule } from '../../optim/lr-schedule.ts';
import { withDefaults } from '../../options.ts';
import { Rng, type Seed } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defaultsOf, type ValuesOf } from '../setting.ts';
import { TOY_TABLE } from '../settings.ts';
import { type PlaneData, planeSet } from '../toy/plane-data.ts';
import { PlaneNetwork, ToyDiffusion } from '../toy/toy.ts';
import type { TrainEvent } from './events.ts';
import { Trainer } from './loop.ts';
import type { Recipe, Source } from './recipe.ts';

/** The settings of the training in the plane. */
export interface ToySettings {
  /** The number of steps of Adam. Each step has new points. */
  readonly steps: number;
  /** Points in a batch. */
  readonly batchSize: number;
  /** Adam's largest learning rate. */
  readonly lr: number;
  /** The seed of points, times, noise and initial values. */
  readonly seed: Seed;
}

/** The default settings. */
export const TOY_SETTINGS: ToySettings = toySettings(defaultsOf(TOY_TABLE));

/** Selects the settings of the training from those of the figure. */
export function toySettings({ trainSteps, batchSize, lr, seed }: ValuesOf<typeof TOY_TABLE>): ToySettings {
  return { steps: trainSteps, batchSize, lr, seed };
}

/** The recipe of a diffusion `model` in the plane, trained on points of `data` with these `settings`. */
export class ToyRecipe implements Recipe {
  readonly model: ToyDiffusion;
  readonly module: PlaneNetwork;
  readonly streams: Record<'points' | 'noise', Rng>;
  readonly ema = 0.995;
  private readonly objective: Objective;

  constructor(
    readonly data: PlaneData,
    readonly settings: ToySettings,
  ) {
    const rng = new Rng(settings.seed);
    this.module = new PlaneNetwork(rng.stream('initial values'));
    this.model = new ToyDiffusion(this.module);
    const { schedule, predicts } = this.model;
    this.objective = new Objective(schedule, { predicts, times: 'stratified' });
    this.streams = { points: rng.stream('points'), noise: rng.stream('noise') };
  }

  get info(): CheckpointInfo {
    const { seed, ...settings } = this.settings;
    return { kind: 'toy', sizes: {}, settings: { set: this.data.name, ...settings }, seed };
  }

  schedule(lr: number, steps: number): LrSchedule {
    return cosineLr(lr, { steps });
  }

  loss({ images }: Batch): Tensor {
    return this.objective.loss((x, t) => this.module.forward(x, t), images, this.streams.noise);
  }
}

/** New random points for every batch, from the recipe's stream. */
class Points implements Source {
  readonly dataset: { readonly name: string; readonly length: number };
  readonly batches: number;
  private step = 0;

  constructor(private readonly recipe: ToyRecipe) {
    const { steps, batchSize } = recipe.settings;
    this.dataset = { name: recipe.data.name, length: steps * batchSize };
    this.batches = steps;
  }

  get position(): LoaderPosition {
    return { epoch: Math.floor(this.step / this.batches), batch: this.step % this.batches };
  }

  seek({ epoch, batch }: LoaderPosition): void {
    this.step = epoch * this.batches + batch;
  }

  /** The points are freed at the end of the step's scope. */
  next(): Batch {
    const { data, settings, streams } = this.recipe;
    this.step++;
    const images = data.sample(settings.batchSize, streams.points);
    return { images, labels: new Uint8Array(settings.batchSize) };
  }

  dispose(): void {}
}

/** A new run. The caller owns the network. @throws ValueError for an unknown set or settings out of range */
export function toyTrainer(set: ToySet | PlaneData, given: Partial<ToySettings> = {}): Trainer<ToyRecipe> {
  const data = typeof set === 'string' ? planeSet(set) : set;
  const recipe = new ToyRecipe(data, withDefaults('trainToy', given, TOY_SETTINGS));
  return new Trainer(recipe, new Points(recipe), { epochs: 1, lr: recipe.settings.lr });
}

/**
 * Trains a network on a toy set, and yields the events of the run.
 * @returns the network with the averaged parameters
 * @throws ValueError for an unknown set or settings out of range
 * @throws DivergenceError as `trainDenoiser`
 */
export function* trainToy(
  set: ToySet | PlaneData,
  settings: Partial<ToySettings> = {},
): Generator<TrainEvent, ToyDiffusion> {
  const trainer = toyTrainer(set, settings);
  try {
    return yield* runToy(trainer);
  } finally {
    trainer.dispose();
  }
}

/** Trains to the end as `trainToy`. The caller can use the network in the meantime, and frees the trainer. */
export function* runToy(trainer: Trainer<ToyRecipe>): Generator<TrainEvent, ToyDiffusion> {
  yield* trainer.run();
  trainer.ema?.copyTo(trainer.recipe.module);
  return trainer.recipe.model;
}
