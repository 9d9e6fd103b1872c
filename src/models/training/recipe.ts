/** The interfaces of the training loop (loop.ts): its inputs, and its counters. */
import type { CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { Batch, LoaderPosition } from '../../data/loader.ts';
import type { Module } from '../../nn/module.ts';
import type { LrSchedule } from '../../optim/lr-schedule.ts';
import type { Rng, RngState } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { TallyState } from './tally.ts';

/** One kind of training: the model, the loss, and the choices that the loop does not make. */
export interface Recipe {
  /** The model in training. */
  readonly module: Module;
  /** The metadata for a file of the run: everything except the tensors. */
  readonly info: CheckpointInfo;
  /** The random generators of `loss`, by name. A resumed run replaces them with its own. */
  readonly streams: Record<string, Rng>;
  /** The decay of a moving average of the parameters. Undefined means no average. */
  readonly ema?: number;
  /** Adam's decays of the two moments. Default: 0.9 and 0.999, as in PyTorch. */
  readonly betas?: readonly [number, number];
  /** The largest norm of the gradient over all parameters. 0 or undefined means no clipping. */
  readonly clip?: number;
  /** The mean loss of a batch: a scalar with its graph. */
  loss(batch: Batch): Tensor;
  /** The loss on the test pictures. Its noise is the same in every epoch, and does not use `streams`. */
  test?(): number;
  /** The learning-rate schedule of a run. Undefined means a constant rate. */
  schedule?(lr: number, steps: number): LrSchedule;
}

/** A source of batches, such as a `DataLoader`. */
export interface Source {
  /** The `name` of the data, and its `length` in samples. A resumed run must have the same data. */
  readonly dataset: { readonly name: string; readonly length: number };
  /** The number of batches in an epoch. */
  readonly batches: number;
  /** The position of the next batch. */
  readonly position: LoaderPosition;
  /** The next batch. It belongs to the caller. */
  next(): Batch;
  /** Moves to a saved position. */
  seek(position: LoaderPosition): void;
  /** Frees what the source holds. */
  dispose?(): void;
}

/** Options of `Trainer`. */
export interface TrainOptions {
  /** Passes over the source. */
  readonly epochs: number;
  /** Adam's learning rate, before any schedule. */
  readonly lr: number;
  /** The time limit of training in seconds. Default: no limit. */
  readonly limitSeconds?: number | undefined;
  /** The number of batches per batch event. The last batch of an epoch always has an event. Default 1. */
  readonly every?: number | undefined;
}

/** The defaults of the options that are not settings. */
export const RUN_DEFAULTS = {
  train: undefined,
  test: undefined,
  every: undefined,
  limitSeconds: undefined,
} as const;

/** The counters of a run. The tensors, the history and these counters are its complete state. */
export interface Progress {
  /** Steps of the optimiser. */
  readonly step: number;
  /** The position of the source. */
  readonly position: LoaderPosition;
  /** The state of each generator of the recipe, by name. */
  readonly streams: Readonly<Record<string, RngState>>;
  /** Updates of the moving average. */
  readonly emaUpdates: number;
  /** Steps of Adam for each parameter. */
  readonly adamSteps: readonly number[];
  /** Seconds of training. */
  readonly seconds: number;
  /** The sums of the current epoch. */
  readonly epoch: TallyState;
}
