/** The events of a training run. Epochs and batches are counted from 1. */

/** Comes after every `every` batches, and after the last batch of an epoch. */
export interface BatchEvent {
  /** Tells the events apart. */
  readonly type: 'batch';
  /** The epoch, from 1. */
  readonly epoch: number;
  /** The batch in the epoch, from 1. */
  readonly batch: number;
  /** The number of batches in an epoch. */
  readonly batches: number;
  /** The mean training loss over the samples since the last batch event. */
  readonly loss: number;
  /** The speed since the last batch event. */
  readonly imagesPerSecond: number;
}

/** Comes after the last batch of an epoch. */
export interface EpochEvent {
  /** Tells the events apart. */
  readonly type: 'epoch';
  /** The epoch, from 1. */
  readonly epoch: number;
  /**
   * The mean loss over the epoch's samples. The loss of a sample is that of the model at its step, so the mean is over
   * different parameters.
   */
  readonly trainLoss: number;
  /** The loss on the test pictures. NaN for a recipe without a test. */
  readonly testLoss: number;
  /** The time of the training steps, without the test and without the caller's work between events. */
  readonly seconds: number;
  /** The speed over the epoch. */
  readonly imagesPerSecond: number;
}

/** What a training run yields. */
export type TrainEvent = BatchEvent | EpochEvent;
