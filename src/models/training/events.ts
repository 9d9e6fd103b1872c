/** What every training run says as it goes. Epochs and batches count from 1. */

export interface BatchEvent {
  readonly type: 'batch';
  readonly epoch: number;
  readonly batch: number;
  /** Batches in an epoch. */
  readonly batches: number;
  /** The mean over the samples since the last batch event. */
  readonly loss: number;
  readonly imagesPerSecond: number;
}

export interface EpochEvent {
  readonly type: 'epoch';
  readonly epoch: number;
  /** The mean over the epoch's samples. Each was seen once, and the model changed in between. */
  readonly trainLoss: number;
  /** On pictures that are never learnt from; NaN for a recipe without a test. */
  readonly testLoss: number;
  /** Spent on training: without the test, and without what the caller did between events. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

export type TrainEvent = BatchEvent | EpochEvent;
