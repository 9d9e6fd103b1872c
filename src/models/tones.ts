/**
 * Tones: the numbers that stand for the 256 greys of a pixel while a diffusion network works. Without a table they are
 * linear, v in [0, 1] to 2·v - 1. A table holds 256 numbers that increase from -1 to 1, one for each grey:
 *
 *     encode: grey to the table's number; values between two greys are interpolated
 *     decode: number to one of the 256 greys: the nearest of the table, or by cuts
 *
 * A network's samples carry small errors. On a linear scale an error of 1/255 turns the black ground into a grey that
 * no real picture has there, and the frequent greys (253 and 254 are most of MNIST's ink) into their neighbours. `spreadTones`
 * makes a table with room where the greys of a data set are frequent:
 *
 *     tone(0) = -1
 *     tone(g) = -1 + GAP + (2 - GAP)·((1 - SHARE)·(g - 1)/254 + SHARE·F(g)),   g = 1 to 255
 *
 * where F(g) is the share of the ink (all pixels that are not 0) below g, plus half of that at g. An error below GAP/2
 * leaves the ground at 0. GAP is wide, so that a sampler decides at noise of a tenth of the range, which a network learns
 * well, whether a pixel has ink.
 *
 * Cuts are 255 numbers that do not fall. A number's grey is how many cuts are at or below it. `matchedCuts` sets them so
 * that a model's samples have the greys of a data set: cut(g) is the quantile of the samples' numbers at the share of the
 * data's pixels that are g or less. A network's numbers between two tones are then split as the data are.
 *
 * Left out on purpose: a table for each channel.
 */
import type { Field } from '../checkpoint/fields.ts';
import type { Dataset } from '../data/dataset.ts';
import { ValueError } from '../errors.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** 256 numbers that increase from -1 to 1; none for linear tones. */
export type Tones = readonly number[];

const GREYS = 256;
const GAP = 0.4;
const SHARE = 0.7;
/** Digits after the point of a table's numbers: few, so that files stay short, and enough to tell greys apart. */
const DIGITS = 4;

const rounded = (tone: number) => Number(tone.toFixed(DIGITS));

/** How many pixels of a data set have each grey. */
function greyCounts({ images }: Dataset): Float64Array {
  const counts = new Float64Array(GREYS);
  for (const grey of images) counts[grey]++;
  return counts;
}

/** Tones that give the frequent greys of a data set more room: see the file's header. */
export function spreadTones(dataset: Dataset): Tones {
  const counts = greyCounts(dataset);
  const ink = dataset.images.length - counts[0];
  let below = 0;
  return Array.from(counts, (count, grey) => {
    if (grey === 0) return -1;
    const even = (grey - 1) / (GREYS - 2);
    const rank = ink === 0 ? even : (below + count / 2) / ink;
    below += count;
    return rounded(-1 + GAP + (2 - GAP) * ((1 - SHARE) * even + SHARE * rank));
  });
}

/** 255 numbers from -1 to 1 that do not fall; none for the middles between tones. */
export type Cuts = readonly number[];

export interface TonesSettings {
  /** What stands for each grey; linear by default. */
  readonly tones?: Tones;
  /** How numbers become greys again; the nearest tone by default. */
  readonly cuts?: Cuts;
}

/**
 * Cuts that give samples the greys of a data set: see the file's header.
 * @param values what a network made, from -1 to 1
 * @throws ValueError for NaN, which a network makes that diverged
 */
export function matchedCuts(values: Float64Array, dataset: Dataset): Cuts {
  const sorted = values.slice().sort();
  // NaN comes last.
  if (Number.isNaN(sorted[sorted.length - 1]))
    throw new ValueError('cuts: expected samples of numbers, got NaN');
  let below = 0;
  return Array.from(greyCounts(dataset).subarray(0, GREYS - 1), (count) => {
    below += count;
    const rank = Math.floor((below / dataset.images.length) * sorted.length);
    return rounded(sorted[Math.min(rank, sorted.length - 1)]);
  });
}

/** A list of so many numbers from -1 to 1 that increase, or that do not fall; or an empty one. */
function listField(length: number, increases: boolean): Field<readonly number[]> {
  const isNext = (x: unknown, before: number) =>
    typeof x === 'number' && x <= 1 && (increases ? x > before : x >= before);
  return {
    expected: `${length} numbers that ${increases ? 'increase' : 'do not fall'}, from -1 to 1`,
    accepts: (value): value is readonly number[] =>
      Array.isArray(value) &&
      (value.length === 0 || (value.length === length && value[0] >= -1)) &&
      value.every((x, i) => isNext(x, i === 0 ? -Infinity : value[i - 1])),
    absent: [],
  };
}

/** Tones and cuts in a file; none where it says nothing of them. */
export const TONES_FIELDS = { tones: listField(GREYS, true), cuts: listField(GREYS - 1, false) };

/** Tones and cuts as settings. Empty ones are left out. @throws ValueError for lists that they cannot be */
export function tonesSettings(given: TonesSettings): TonesSettings {
  const lists = (['tones', 'cuts'] as const).map((name) => {
    const list = given[name] ?? [];
    const { expected, accepts } = TONES_FIELDS[name];
    if (accepts(list)) return [name, list] as const;
    throw new ValueError(`${name}: expected ${expected}, or none, got ${JSON.stringify(list)?.slice(0, 40)}`);
  });
  return Object.fromEntries(lists.filter(([, list]) => list.length > 0));
}

/** Pictures in [0, 1] as diffusion networks see them, in [-1, 1]. */
export function encodeTones(images: Tensor, { tones = [] }: TonesSettings): Tensor {
  if (tones.length === 0) return images.mul(2).sub(1);
  return tensor(
    images.toTypedArray().map((value) => toneAt(tones, value)),
    images.shape,
  );
}

/** The tone of a value in [0, 1]. */
function toneAt(tones: Tones, value: number): number {
  const place = Math.min(1, Math.max(0, value)) * (GREYS - 1);
  const grey = Math.round(place);
  // A byte over 255 in float32 is off by less than this.
  if (Math.abs(place - grey) < 1e-4) return tones[grey];
  const below = Math.floor(place);
  return tones[below] + (place - below) * (tones[below + 1] - tones[below]);
}

/**
 * What a network made, as pixels in [0, 1]. Linear tones without cuts let values beyond -1 and 1 go beyond 0 and 1. NaN
 * stays NaN.
 */
export function decodeTones(
  values: ArrayLike<number>,
  { tones = [], cuts = [] }: TonesSettings,
): Float64Array {
  if (cuts.length > 0) return Float64Array.from(values, (value) => atOrBelow(cuts, value) / (GREYS - 1));
  if (tones.length === 0) return Float64Array.from(values, (value) => (value + 1) / 2);
  return Float64Array.from(values, (value) => nearestGrey(tones, value) / (GREYS - 1));
}

/** How many numbers of a list that does not fall are at or below `value`. */
function atOrBelow(list: readonly number[], value: number): number {
  if (Number.isNaN(value)) return value;
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The grey whose tone is nearest. */
function nearestGrey(tones: Tones, value: number): number {
  const above = Math.min(Math.max(atOrBelow(tones, value), 1), GREYS - 1);
  return value - tones[above - 1] < tones[above] - value ? above - 1 : above;
}
