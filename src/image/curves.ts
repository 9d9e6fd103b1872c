/**
 * From the numbers of a caller to curves that can be drawn: gaps, extents, and fewer points where there are more
 * than a picture shows.
 */
import { ShapeError, ValueError } from '../errors.ts';

export type Numbers = ArrayLike<number>;
export type ScaleType = 'linear' | 'log';

/** Points that a line or a band is drawn through at most, not counting gaps. */
export const MOST_POINTS = 2000;
/** Scattered points or vectors that are drawn at most. */
export const MOST_DOTS = 4000;

/** The smallest and the largest of the numbers in some arrays, NaN left aside; [NaN, NaN] when there is none. */
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

/** The value, or NaN where a scale of that type has no place for it. */
export const usable = (type: ScaleType) => (value: number) =>
  Number.isFinite(value) && (type === 'linear' || value > 0) ? value : Number.NaN;

/** Values as they can be drawn on a scale. */
export const clean = (values: Numbers, onScale: (value: number) => number) =>
  Float64Array.from(values, onScale);
/** The values at the indices that were kept. */
export const pick = (values: Float64Array, kept: readonly number[]) =>
  Float64Array.from(kept, (i) => values[i]);

/** One or several curves over the same x; NaN in any of them is a gap in all. */
export interface Curves {
  readonly x: Float64Array;
  readonly ys: readonly Float64Array[];
}

/**
 * Checks that the curves can be drawn; `what` names them.
 * @throws {ShapeError} for arrays of different lengths, {ValueError} when every point is a gap.
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
 * Keeps of each stretch of the curves the point lowest in the first curve, the point highest in the last one,
 * and one gap if there are any; and the first and the last point of all.
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
  const note = `a curve is drawn through ${list.length} of its ${x.length} points`;
  return { x: pick(x, list), ys: ys.map((y) => pick(y, list)), note };
}

/** At most `MOST_DOTS` indices below `count`, evenly spread. */
export function evenIndices(count: number): number[] {
  const step = Math.max(1, count / MOST_DOTS);
  return Array.from({ length: Math.min(count, MOST_DOTS) }, (_, i) => Math.floor(i * step));
}

/** What `evenIndices` left out, in words. */
export const thinnedNote = (kept: readonly number[], all: Float64Array) =>
  kept.length === all.length ? '' : `${kept.length} of ${all.length} points are drawn`;
