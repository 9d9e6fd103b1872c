/**
 * From a caller's numbers to curves that can be drawn. Handles gaps and extents, and leaves out points if there are
 * more than a picture can show.
 */
import { ShapeError, ValueError } from '../errors.ts';

export type Numbers = ArrayLike<number>;
export type ScaleType = 'linear' | 'log';

/** The largest number of points in a line or a band, without the gaps. */
export const MOST_POINTS = 2000;
/** The largest number of scattered points or vectors that are drawn. */
export const MOST_DOTS = 4000;

/** The smallest and the largest number in some arrays. NaN is ignored. Without any number the result is [NaN, NaN]. */
export function extent(arrays: readonly Numbers[]): [number, number] {
  let [low, high] = [Number.NaN, Number.NaN];
  for (const array of arrays) {
    for (let i = 0; i < array.length; i++) {
      const value = array[i];
      if (!(value >= low)) low = Number.isNaN(value) ? low : value;
      if (!(value <= high)) high = Number.isNaN(value) ? high : value;
    }
  }
  return [low, high];
}

/** The value, or NaN if a scale of that type cannot show it. */
export const usable = (type: ScaleType) => (value: number) =>
  Number.isFinite(value) && (type === 'linear' || value > 0) ? value : Number.NaN;

/** The values, with NaN where the scale cannot show one. */
export const clean = (values: Numbers, onScale: (value: number) => number) =>
  Float64Array.from(values, onScale);
/** The values at the indices in `kept`. */
export const pick = (values: Float64Array, kept: readonly number[]) =>
  Float64Array.from(kept, (i) => values[i]);

/** One or several curves over the same x. NaN in any curve is a gap in all of them. */
export interface Curves {
  readonly x: Float64Array;
  readonly ys: readonly Float64Array[];
}

/**
 * Checks that the curves can be drawn. `what` is their name in messages.
 * @throws {ShapeError} for arrays of different lengths, {ValueError} if every point is a gap.
 */
export function checkCurves(curves: Curves, what: string): Curves {
  const { x, ys } = curves;
  const wrong = ys.find((y) => y.length !== x.length);
  if (wrong) {
    throw new ShapeError(`${what}: expected arrays of one length, got ${x.length} and ${wrong.length}`);
  }
  if (x.every((_, i) => isGap(curves, i))) {
    throw new ValueError(
      `${what}: expected at least one finite point on its scales, got none of ${x.length}`,
    );
  }
  return curves;
}

const isGap = ({ x, ys }: Curves, i: number) => Number.isNaN(x[i]) || ys.some((y) => Number.isNaN(y[i]));

/**
 * Thins the curves. From each stretch it keeps the lowest point of the first curve, the highest point of the last
 * curve, and one gap if there are any. It also keeps the first and the last point of all.
 */
export function thin(curves: Curves): Curves & { note: string } {
  const { x, ys } = curves;
  if (x.length <= MOST_POINTS) return { x, ys, note: '' };
  const [lower, upper] = [ys[0], ys[ys.length - 1]];
  const stretches = MOST_POINTS / 2 - 1;
  const kept = new Set([0]);
  for (let s = 0; s < stretches; s++) {
    const begin = Math.floor((s * x.length) / stretches);
    const end = Math.floor(((s + 1) * x.length) / stretches);
    let [lowest, highest, gap] = [-1, -1, -1];
    for (let i = begin; i < end; i++) {
      if (isGap(curves, i)) gap = i;
      else {
        if (lowest < 0 || lower[i] < lower[lowest]) lowest = i;
        if (highest < 0 || upper[i] > upper[highest]) highest = i;
      }
    }
    for (const i of [lowest, highest, gap].sort((a, b) => a - b)) if (i >= 0) kept.add(i);
  }
  kept.add(x.length - 1);
  const list = [...kept];
  const note = `a curve shows ${list.length} of its ${x.length} points`;
  return { x: pick(x, list), ys: ys.map((y) => pick(y, list)), note };
}

/** At most `MOST_DOTS` indices below `count`, evenly spaced. */
export function evenIndices(count: number): number[] {
  const step = Math.max(1, count / MOST_DOTS);
  return Array.from({ length: Math.min(count, MOST_DOTS) }, (_, i) => Math.floor(i * step));
}

/** A note that says how many points `evenIndices` left out. */
export const thinnedNote = (kept: readonly number[], all: Float64Array) =>
  kept.length === all.length ? '' : `${kept.length} of ${all.length} points are drawn`;
