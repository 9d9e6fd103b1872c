/** What all trainers ask of their settings and their pictures. */
import { type Dataset, pictureName, type TrainTest } from '../../data/dataset.ts';
import { ShapeError, ValueError } from '../../errors.ts';

/** @throws ValueError that says what was expected */
export function requirement(fits: boolean, expected: string, got: number): void {
  if (!fits) throw new ValueError(`training: expected ${expected}, got ${got}`);
}

/** @throws ValueError unless each is a whole number >= 1 */
export function requireWhole(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    requirement(Number.isSafeInteger(value) && value >= 1, `${name} to be a whole number >= 1`, value);
  }
}

/**
 * @param expected the size of the pictures, in words
 * @throws ShapeError for a set whose pictures do not fit
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
