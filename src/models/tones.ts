/**
 * Tones: the numbers that stand for the 256 greys of a pixel while a diffusion network works. Without a table they are
 * linear, v in [0, 1] to 2·v - 1. A table holds 256 numbers that increase from -1 to 1, one for each grey:
 *
 *     encode: grey to the table's number; values between two greys are interpolated
 *     decode: number to one of the 256 greys: the nearest of the table, or by cuts (cuts.ts)
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
 * cuts.ts has the other way back: cuts, which are set so that samples have the greys of the data.
 *
 * Left out on purpose: a table for each channel.
 */
import type { Dataset } from '../data/dataset.ts';
import { ValueError } from '../errors.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  atOrBelow,
  CUTS_FIELDS,
  type Cuts,
  GREYS,
  greyCounts,
  greysByCuts,
  type Kind,
  listField,
  rounded,
} from './cuts.ts';

/** 256 numbers that increase from -1 to 1; none for linear tones. */
export type Tones = readonly number[];

const GAP = 0.4;
const SHARE = 0.7;
/** Tones that give the frequent greys of a data set more room: see the file's header. */
export function spreadTones(dataset: Dataset): Tones {
  const counts = greyCounts(dataset.images);
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

export interface TonesSettings {
  /** What stands for each grey; linear by default. */
  readonly tones?: Tones;
  /** How numbers become greys again; the nearest tone by default. */
  readonly cuts?: Cuts;
  /** Cuts for each kind of picture in place of the common ones; they need the common ones. */
  readonly kinds?: readonly Kind[];
}

/** Tones and cuts in a file; none where it says nothing of them. */
export const TONES_FIELDS = { tones: listField(GREYS, true), ...CUTS_FIELDS };

/** Tones and cuts as settings. Empty ones are left out. @throws ValueError for lists that they cannot be */
export function tonesSettings(given: TonesSettings): TonesSettings {
  if (given.kinds?.length && !given.cuts?.length)
    throw new ValueError('kinds: expected common cuts beside them, got none');
  const lists = (['tones', 'cuts', 'kinds'] as const).map((name) => {
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
 * @param size numbers of a picture; all of them by default
 */
export function decodeTones(
  values: ArrayLike<number>,
  { tones = [], cuts = [], kinds = [] }: TonesSettings,
  size = values.length,
): Float64Array {
  if (cuts.length > 0) {
    return greysByCuts(Float64Array.from(values), { cuts, kinds }, size).map((grey) => grey / (GREYS - 1));
  }
  if (tones.length === 0) return Float64Array.from(values, (value) => (value + 1) / 2);
  return Float64Array.from(values, (value) => nearestGrey(tones, value) / (GREYS - 1));
}

/** The grey whose tone is nearest. */
function nearestGrey(tones: Tones, value: number): number {
  const above = Math.min(Math.max(atOrBelow(tones, value), 1), GREYS - 1);
  return value - tones[above - 1] < tones[above] - value ? above - 1 : above;
}
