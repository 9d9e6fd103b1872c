/**
 * `strokes` as a data set: a training and a test set of drawn digits that no seed of a training run changes,
 * so that runs are compared on the same pictures. The two follow from different seeds, so that how many
 * of one are drawn does not change the other.
 */
import { withDefaults } from '../options.ts';
import { createDataset, type Dataset, type TrainTest } from './dataset.ts';
import { strokeDigits } from './strokes.ts';

/** How many digits are drawn where nothing else is said. */
export const STROKES_COUNTS = { train: 10_000, test: 1_000 } as const;

export interface StrokesOptions {
  /** Pictures to train on; `STROKES_COUNTS` by default. */
  readonly train?: number;
  /** Pictures to test on; `STROKES_COUNTS` by default. */
  readonly test?: number;
  /** Another seed draws other digits. */
  readonly seed?: string | number;
}

/** Draws the data set. @throws ValueError for numbers that are not whole numbers >= 0 */
export function loadStrokes(options: StrokesOptions = {}): TrainTest {
  const { train, test, seed } = withDefaults('strokes', options, { ...STROKES_COUNTS, seed: 'strokes' });
  const draw = (part: string, count: number): Dataset => {
    const { images, labels } = strokeDigits(`${seed}/${part}`, count);
    return createDataset({ name: `strokes ${part}`, height: 28, width: 28, classes: 10, images, labels });
  };
  return { train: draw('train', train), test: draw('test', test) };
}
