/** Checks of settings and of pictures, which all trainers share. */
import { type Dataset, pictureName, type TrainTest } from '../../data/dataset.ts';
import { ShapeError, ValueError } from '../../errors.ts';

/** @throws ValueError with the expected value and the given one, unless `fits` */
export function requirement(fits: boolean, expected: string, got: number | string): void {
  if (!fits) throw new ValueError(`training: expected ${expected}, got ${got}`);
}

/** @throws ValueError unless each value is a whole number >= 1 */
export function requireWhole(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    requirement(Number.isSafeInteger(value) && value >= 1, `${name} to be a whole number >= 1`, value);
  }
}

/**
 * @param expected the size of the pictures as text, for the error
 * @param fits whether a data set has pictures of this size
 * @throws ShapeError for a data set that does not fit
 */
export function requirePictures(
  { train, test }: TrainTest,
  expected: string,
  fits: (set: Dataset) => boolean,
): void {
  const wrong = [train, test].find((set) => !fits(set));
  if (!wrong) return;
  const got = `${wrong.name} with ${pictureName(wrong)}`;
  throw new ShapeError(`training: expected pictures of ${expected}, got ${got}`);
}
