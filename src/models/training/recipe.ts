/** What the training loop (loop.ts) is given, and the counters that it keeps. */
import type { CheckpointInfo } from '../../checkpoint/checkpoint.ts';
import type { Batch, LoaderPosition } from '../../data/loader.ts';
import type { Module } from '../../nn/module.ts';
import type { LrSchedule } from '../../optim/lr-schedule.ts';
import type { Rng, RngState } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { TallyState } from './tally.ts';

/** One kind of training. */
export interface Recipe {
  /** What is trained. */
  readonly module: Module;
  /** What a file of the run says beside the tensors. */
  readonly info: CheckpointInfo;
  /** The generators that `loss` draws from, by name. A run that goes on puts its own in their place. */
  readonly streams: Record<string, Rng>;
  /** Decay of a moving average of the parameters; without it there is none. */
  readonly ema?: number;
  /** Adam's decays; PyTorch's by default. */
  readonly betas?: readonly [number, number];
  /** The largest norm of the gradient over all parameters; 0 or none scales none. */
  readonly clip?: number;
  /** The mean loss of a batch: a scalar with its graph. */
  loss(batch: Batch): Tensor;
  /** The loss on pictures that are never learnt from, under noise of its own that is the same in every epoch. */
  test?(): number;
  /** How the learning rate runs over the steps of a run; constant without it. */
  schedule?(lr: number, steps: number): LrSchedule;
}

/** Where batches come from, such as a `DataLoader`. */
export interface Source {
  /** What the samples are, and how many an epoch has: a run goes on with no others. */
  readonly dataset: { readonly name: string; readonly length: number };
  /** Batches in an epoch. */
  readonly batches: number;
  readonly position: LoaderPosition;
  next(): Batch;
  seek(position: LoaderPosition): void;
  dispose?(): void;
}

export interface TrainOptions {
  readonly epochs: number;
  /** Adam's learning rate, before any schedule. */
  readonly lr: number;
  /** Ends the run after this time of training; no limit by default. */
  readonly limitSeconds?: number | undefined;
  /** Batches from one batch event to the next, 1 by default. The last batch of an epoch has one too. */
  readonly every?: number | undefined;
}

/** Defaults of what a run is given beside its settings. */
export const RUN_DEFAULTS = {
  train: undefined,
  test: undefined,
  every: undefined,
  limitSeconds: undefined,
} as const;

/** The counters of a run; with its tensors and its history all that there is to it. */
export interface Progress {
  readonly step: number;
  readonly position: LoaderPosition;
  readonly streams: Readonly<Record<string, RngState>>;
  readonly emaUpdates: number;
  readonly adamSteps: readonly number[];
  readonly seconds: number;
  /** Of the epoch so far. */
  readonly epoch: TallyState;
}
