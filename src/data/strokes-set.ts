/**
 * `strokes` as a data set: a training and a test set of drawn digits. The seed of a training run does not change them,
 * so different runs use the same pictures. The two sets have different seeds, so the size of one does not change the
 * other.
 */
import { withDefaults } from '../options.ts';
import { createDataset, type Dataset, type TrainTest } from './dataset.ts';
import { strokeDigits } from './strokes.ts';

/** The default numbers of digits. */
export const STROKES_COUNTS = { train: 10_000, test: 1_000 } as const;

/** Options of `loadStrokes`. */
export interface StrokesOptions {
  /** The number of training pictures. Default: `STROKES_COUNTS`. */
  readonly train?: number;
  /** The number of test pictures. Default: `STROKES_COUNTS`. */
  readonly test?: number;
  /** The seed of the drawn digits. */
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

/** The first pictures of the default data set: at most so many to train on, and at most so many to test on. */
export function firstStrokes(most: number): TrainTest {
  const { train, test } = STROKES_COUNTS;
  return loadStrokes({ train: Math.min(train, most), test: Math.min(test, most) });
}
