/** The course of a training run: the loss of its batches, their running mean, and the test loss. */
import type { History } from '../training/history.ts';

/** Batches that the running mean reaches back, roughly. */
const WINDOW = 40;

export interface LossFigure {
  /** In epochs, where each point ends, and the mean loss of its batches. */
  readonly training: { readonly x: Float64Array; readonly y: Float64Array };
  /** At the same places. */
  readonly mean: Float64Array;
  /** After each epoch that has one. */
  readonly test: { readonly x: Float64Array; readonly y: Float64Array };
}

/** An exponential running mean; at first it reaches back over a fifth of the values so far, when they change fast. */
function runningMean(values: readonly number[], window: number): Float64Array {
  let mean = 0;
  return Float64Array.from(values, (value, i) => (mean += (value - mean) / Math.min(window, 1 + i / 5)));
}

/** The losses of a run so far. */
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
