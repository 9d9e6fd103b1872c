/**
 * Cuts: how a network's numbers become greys. Cuts are 255 numbers that do not fall. A number's grey is how many cuts are
 * at or below it. `matchedCuts` sets them so that a model's samples have the greys of a data set: cut(g) is the quantile
 * of the samples' numbers at the share of the data's pixels that are g or less. A network's numbers between two tones
 * (tones.ts) are then split as the data are.
 *
 * Kinds: the samples of one model can have several tables of cuts. In MNIST the inside of a picture's strokes is one
 * grey, its plateau: 252, 253, 254 or 255. A network mixes the four within a picture, and so does a common table of cuts.
 * `matchedKinds` makes a table for each plateau:
 *
 *     plateau of a picture     the most frequent grey of its ink (all pixels that are not 0)
 *     kind                     a plateau of a share of LEAST_SHARE of the pictures or more; a picture of a rarer plateau
 *                              belongs to the kind that is nearest
 *     brightness of a sample   the median of its numbers that the common cuts make BRIGHT or more; -1 if there are none
 *     from(kind)               the samples' quantile of the brightness at the share of the pictures of darker kinds
 *     cuts of a kind           matched as above: the ink of its samples to the ink of its pictures
 *
 * A sample belongs to the last kind whose `from` its brightness reaches. So the kinds of samples have the shares of the
 * data, and a sample's kind depends on that sample alone. All tables have the first cut of the common one, between ground
 * and ink, so that the kind does not change a picture's outline.
 */
import type { Field } from '../checkpoint/fields.ts';
import { isRecord } from '../checkpoint/fields.ts';
import { type Dataset, pictureSize } from '../data/dataset.ts';
import { ValueError } from '../errors.ts';

/** 255 numbers from -1 to 1 that do not fall; none for the middles between tones. */
export type Cuts = readonly number[];

/** The cuts of the samples whose brightness is `from` or more. */
export interface Kind {
  readonly from: number;
  readonly cuts: Cuts;
}

/** The common cuts, and those of each kind, the darkest first; no kinds where all samples have the common cuts. */
export interface MatchedGreys {
  readonly cuts: Cuts;
  readonly kinds: readonly Kind[];
}

export const GREYS = 256;
/** Digits after the point of a table's numbers: few, so that files stay short, and enough to tell greys apart. */
const DIGITS = 4;
/** The least grey of a stroke's inside. */
const BRIGHT = 192;
/** The share of the pictures that makes a plateau a kind. */
const LEAST_SHARE = 1 / 25;

export const rounded = (tone: number) => Number(tone.toFixed(DIGITS));

/** How many pixels have each grey. */
export function greyCounts(images: Uint8Array): Float64Array {
  const counts = new Float64Array(GREYS);
  for (const grey of images) counts[grey]++;
  return counts;
}

/** The quantiles of sorted numbers at the share of the pixels that are g or less, for each grey g but the last. */
function quantiles(sorted: Float64Array, counts: Float64Array): Cuts {
  const total = counts.reduce((a, b) => a + b);
  let below = 0;
  return Array.from(counts.subarray(0, GREYS - 1), (count) => {
    below += count;
    const rank = Math.floor((below / total) * sorted.length);
    return rounded(sorted[Math.min(rank, sorted.length - 1)]);
  });
}

/**
 * Cuts that give samples the greys of a data set: see the file's header.
 * @param values what a network made, from -1 to 1
 * @throws ValueError for NaN, which a network makes that diverged
 */
export function matchedCuts(values: Float64Array, { images }: Dataset): Cuts {
  const sorted = values.slice().sort();
  // NaN comes last.
  if (Number.isNaN(sorted[sorted.length - 1]))
    throw new ValueError('cuts: expected samples of numbers, got NaN');
  return quantiles(sorted, greyCounts(images));
}

/** Each picture of [n·size]. */
function picturesOf<T extends Float64Array | Uint8Array>(values: T, size: number): T[] {
  return Array.from(
    { length: values.length / size },
    (_, i) => values.subarray(i * size, (i + 1) * size) as T,
  );
}

/** The kinds of a data set, the darkest first: how many pixels have each grey, and the share of the pictures. */
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

/** The median of the bright numbers of a sample: see the file's header. */
function brightness(sample: Float64Array, cuts: Cuts): number {
  const bright = sample.filter((value) => value >= cuts[BRIGHT - 1]).sort();
  return bright.length === 0 ? -1 : bright[bright.length >> 1];
}

/** The place of a sample's kind. */
const placeOf = (light: number, from: readonly number[]) =>
  Math.max(0, from.filter((x) => x <= light).length - 1);

/**
 * The cuts of each kind: see the file's header.
 * @param values what a network made, [n, height, width, channels], from -1 to 1
 * @param cuts the common cuts for these samples
 * @returns none where the data have fewer than two kinds
 */
export function matchedKinds(values: Float64Array, dataset: Dataset, cuts: Cuts): readonly Kind[] {
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
    // So few samples that a kind has none of them.
    if (ink.length === 0) return { from: from[kind], cuts };
    return { from: from[kind], cuts: [cuts[0], ...quantiles(ink, counts).slice(1)] };
  });
}

/** Common cuts and kinds for samples: see the file's header. @throws as `matchedCuts` */
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

/** How many numbers of a list that does not fall are at or below `value`. */
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

/** A list of so many numbers from -1 to 1 that increase, or that do not fall; or an empty one. */
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

function isKind(value: unknown): value is Kind {
  if (!isRecord(value)) return false;
  return typeof value.from === 'number' && CUTS.accepts(value.cuts) && value.cuts.length > 0;
}

/** Cuts and kinds in a file; none where it says nothing of them. */
export const CUTS_FIELDS = {
  cuts: CUTS,
  kinds: {
    expected: `at most ${GREYS} kinds, each with ${GREYS - 1} cuts, whose "from" do not fall from -1 to 1`,
    accepts: (value): value is readonly Kind[] =>
      Array.isArray(value) &&
      value.length <= GREYS &&
      value.every(isKind) &&
      value.every(({ from }, i) => (i === 0 ? from === -1 : from >= value[i - 1].from && from <= 1)),
    absent: [],
  } as Field<readonly Kind[]>,
};
