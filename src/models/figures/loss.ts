/** The losses of a training run: those of the batches, their running mean, and the test loss. */
import type { History } from '../training/history.ts';

/** The number of batches in the running mean, approximately. */
const WINDOW = 40;

export interface LossFigure {
  /** For each point: its end in epochs (x), and the mean loss of its batches (y). */
  readonly training: { readonly x: Float64Array; readonly y: Float64Array };
  /** The running mean at the same points. */
  readonly mean: Float64Array;
  /** The test loss after each epoch that has one. */
  readonly test: { readonly x: Float64Array; readonly y: Float64Array };
}

/** An exponential running mean. At first it averages a fifth of the values so far, because early values change fast. */
function runningMean(values: readonly number[], window: number): Float64Array {
  let mean = 0;
  return Float64Array.from(values, (value, i) => (mean += (value - mean) / Math.min(window, 1 + i / 5)));
}

/** The figure of a run's losses so far. */
export function lossFigure({ at, losses, epochs, stride }: History): LossFigure {
  const tested = epochs.filter(({ testLoss }) => Number.isFinite(testLoss));
  return {
    training: { x: Float64Array.from(at), y: Float64Array.from(losses) },
    mean: runningMean(losses, Math.max(1, WINDOW / stride)),
    test: {
      x: Float64Array.from(tested, ({ epoch }) => epoch),
      y: Float64Array.from(tested, ({ testLoss }) => testLoss),
    },
  };
}
