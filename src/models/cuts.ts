/**
 * Cuts convert the outputs of a sampler to greys. A table of cuts is 255 numbers in ascending order. The grey of an output
 * is the number of cuts that are at or below it. `matchedCuts` computes a table from samples of a model and a data set.
 * With this table the samples have the distribution of greys of the data: cut(g) is a quantile of the outputs. Its level
 * is the fraction of pixels in the data with a grey of at most g.
 *
 * One model can have a table for each kind of picture. In a picture of MNIST most pixels inside the strokes have the same
 * grey, the plateau: 252, 253, 254 or 255. A network mixes the four values within one picture. A single table of cuts
 * cannot separate them. `matchedKinds` computes a table for each plateau:
 *
 *     plateau of a picture     the most frequent grey of its ink. Ink is every pixel that is not 0.
 *     kind                     a plateau that at least LEAST_SHARE of the pictures have. A picture with a rarer plateau
 *                              belongs to the nearest kind.
 *     brightness of a sample   the median of its outputs that are BRIGHT or more by the common cuts; -1 if there are none
 *     from(kind)               a quantile of the brightness of the samples. Its level is the fraction of pictures with a
 *                              darker kind.
 *     cuts of a kind           as above, from the ink of the samples and of the pictures of this kind
 *
 * A sample belongs to the brightest kind whose `from` is at most its brightness. So the kinds are as frequent among samples
 * as in the data. The kind of a sample depends only on that sample. The first cut separates background and ink. It is the
 * same in all tables, so the kind does not change the outline of a picture.
 */
import type { Field } from '../checkpoint/fields.ts';
import { isRecord } from '../checkpoint/fields.ts';
import { type Dataset, pictureSize } from '../data/dataset.ts';
import { ValueError } from '../errors.ts';

/** 255 numbers from -1 to 1 in ascending order. An empty list: the grey of the nearest tone (tones.ts). */
export type GreyCuts = readonly number[];

/** The cuts of the samples whose brightness is `from` or more. */
export interface GreyKind {
  /** The least brightness: the median of a sample's bright outputs, or -1 for all samples. */
  readonly from: number;
  /** The cuts of these samples. */
  readonly cuts: GreyCuts;
}

/** The common cuts, and the kinds with their cuts, from dark to bright. Without kinds all samples use the common cuts. */
export interface MatchedGreys {
  readonly cuts: GreyCuts;
  readonly kinds: readonly GreyKind[];
}

export const GREYS = 256;
/** The number of decimals in a table. More would make files longer, and would not change greys. */
const DIGITS = 4;
/** The smallest grey that counts as the inside of a stroke. */
const BRIGHT = 192;
/** The smallest fraction of the pictures that a kind has. */
const LEAST_SHARE = 1 / 25;

export const rounded = (tone: number) => Number(tone.toFixed(DIGITS));

/** How many pixels have each grey. */
export function greyCounts(images: Uint8Array): Float64Array {
  const counts = new Float64Array(GREYS);
  for (const grey of images) counts[grey]++;
  return counts;
}

/** For each grey g except the last: the quantile of sorted outputs at the fraction of pixels with a grey of at most g. */
function quantiles(sorted: Float64Array, counts: Float64Array): GreyCuts {
  const total = counts.reduce((a, b) => a + b);
  let below = 0;
  return Array.from(counts.subarray(0, GREYS - 1), (count) => {
    below += count;
    const rank = Math.floor((below / total) * sorted.length);
    return rounded(sorted[Math.min(rank, sorted.length - 1)]);
  });
}

/**
 * The cuts that give samples the greys of a data set. See the header of this file.
 * @param values outputs of the sampler, from -1 to 1
 * @throws ValueError for NaN, the output of a network that diverged
 */
export function matchedCuts(values: Float64Array, { images }: Dataset): GreyCuts {
  const sorted = values.slice().sort();
  // NaN comes last.
  if (Number.isNaN(sorted[sorted.length - 1]))
    throw new ValueError('cuts: expected samples of numbers, got NaN');
  return quantiles(sorted, greyCounts(images));
}

/** Splits values [n·size] into pictures. */
function picturesOf<T extends Float64Array | Uint8Array>(values: T, size: number): T[] {
  return Array.from(
    { length: values.length / size },
    (_, i) => values.subarray(i * size, (i + 1) * size) as T,
  );
}

/** The kinds of a data set, from dark to bright: the pixels of each grey, and the fraction of the pictures. */
function kindsOf(dataset: Dataset): { readonly counts: Float64Array; readonly share: number }[] {
  const pictures = picturesOf(dataset.images, pictureSize(dataset)).map((images) => {
    const counts = greyCounts(images).fill(0, 0, 1);
    return { counts, plateau: counts.indexOf(Math.max(...counts)) };
  });
  const frequency = greyCounts(Uint8Array.from(pictures, ({ plateau }) => plateau));
  const least = LEAST_SHARE * pictures.length;
  const plateaus = [...frequency.keys()].filter((grey) => frequency[grey] >= least);
  const kinds = plateaus.map(() => ({ counts: new Float64Array(GREYS), share: 0 }));
  if (kinds.length === 0) return [];
  for (const { counts, plateau } of pictures) {
    const distances = plateaus.map((grey) => Math.abs(grey - plateau));
    const kind = kinds[distances.indexOf(Math.min(...distances))];
    for (const [grey, count] of counts.entries()) kind.counts[grey] += count;
    kind.share += 1 / pictures.length;
  }
  return kinds;
}

/** The brightness of a sample. See the header of this file. */
function brightness(sample: Float64Array, cuts: GreyCuts): number {
  const bright = sample.filter((value) => value >= cuts[BRIGHT - 1]).sort();
  return bright.length === 0 ? -1 : bright[bright.length >> 1];
}

/** The index of a sample's kind. */
const placeOf = (light: number, from: readonly number[]) =>
  Math.max(0, from.filter((x) => x <= light).length - 1);

/**
 * The cuts of each kind. See the header of this file.
 * @param values outputs of the sampler, [n, height, width, channels], from -1 to 1
 * @param cuts the common cuts of these samples
 * @returns an empty list if the data have fewer than two kinds
 */
export function matchedKinds(values: Float64Array, dataset: Dataset, cuts: GreyCuts): readonly GreyKind[] {
  const kinds = kindsOf(dataset);
  if (kinds.length < 2) return [];
  const samples = picturesOf(values, pictureSize(dataset));
  const light = Float64Array.from(samples, (sample) => brightness(sample, cuts));
  const sorted = light.slice().sort();
  let darker = 0;
  const from = kinds.map(({ share }, i) => {
    const rank = Math.min(Math.floor(darker * sorted.length), sorted.length - 1);
    darker += share;
    return i === 0 ? -1 : rounded(sorted[rank]);
  });
  const places = Array.from(light, (x) => placeOf(x, from));
  return kinds.map(({ counts }, kind) => {
    const own = samples.filter((_, i) => places[i] === kind);
    const ink = Float64Array.from(own.flatMap((sample) => [...sample.filter((x) => x >= cuts[0])])).sort();
    // With few samples a kind can have none.
    if (ink.length === 0) return { from: from[kind], cuts };
    return { from: from[kind], cuts: [cuts[0], ...quantiles(ink, counts).slice(1)] };
  });
}

/** The common cuts and the kinds. See the header of this file. @throws ValueError for NaN */
export function matchedGreys(values: Float64Array, dataset: Dataset): MatchedGreys {
  const cuts = matchedCuts(values, dataset);
  return { cuts, kinds: matchedKinds(values, dataset, cuts) };
}

/**
 * The greys of samples, 0 to 255. NaN stays NaN.
 * @param values whole pictures of `size` numbers
 */
export function greysByCuts(values: Float64Array, { cuts, kinds }: MatchedGreys, size: number): Float64Array {
  const from = kinds.map((kind) => kind.from);
  const greys = new Float64Array(values.length);
  for (const [i, sample] of picturesOf(values, size).entries()) {
    const own = kinds.length === 0 ? cuts : kinds[placeOf(brightness(sample, cuts), from)].cuts;
    greys.set(
      sample.map((value) => atOrBelow(own, value)),
      i * size,
    );
  }
  return greys;
}

/** The number of entries of an ascending list that are at or below `value`. */
export function atOrBelow(list: readonly number[], value: number): number {
  if (Number.isNaN(value)) return value;
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A field with an empty list, or with `length` ascending numbers from -1 to 1. `increases`: no two are equal. */
export function listField(length: number, increases: boolean): Field<readonly number[]> {
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

const CUTS = listField(GREYS - 1, false);

function isKind(value: unknown): value is GreyKind {
  if (!isRecord(value)) return false;
  return typeof value.from === 'number' && CUTS.accepts(value.cuts) && value.cuts.length > 0;
}

/** The fields of cuts and kinds in a file. Both can be absent. */
export const CUTS_FIELDS = {
  cuts: CUTS,
  kinds: {
    expected: `at most ${GREYS} kinds, each with ${GREYS - 1} cuts, whose "from" do not fall from -1 to 1`,
    accepts: (value): value is readonly GreyKind[] =>
      Array.isArray(value) &&
      value.length <= GREYS &&
      value.every(isKind) &&
      value.every(({ from }, i) => (i === 0 ? from === -1 : from >= value[i - 1].from && from <= 1)),
    absent: [],
  } as Field<readonly GreyKind[]>,
};
