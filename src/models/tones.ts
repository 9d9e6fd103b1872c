/**
 * Tones are the numbers with which a diffusion network represents the 256 greys of a pixel. Without a table
 * the map is linear: v in [0, 1] becomes 2·v - 1. A table holds 256 numbers that increase from -1 to 1, one
 * for each grey:
 *
 *     encode   maps a grey to its number in the table; values between two greys are interpolated
 *     decode   maps a number to one of the 256 greys: the grey with the nearest tone, or by cuts (cuts.ts)
 *
 * A network's samples have small errors. On a linear scale, an error of 1/255 changes the grey. The black
 * background gets a grey that no real picture has there. The frequent greys (253 and 254 are most of MNIST's
 * ink) become their neighbours. `spreadTones` makes a table in which frequent greys of a data set are farther
 * apart:
 *
 *     tone(0) = -1
 *     tone(g) = -1 + GAP + (2 - GAP)·((1 - SHARE)·(g - 1)/254 + SHARE·F(g)),   g = 1 to 255
 *
 * The ink is all pixels that are not 0. F(g) is the share of the ink with a grey below g, plus half of the
 * share with grey g. With an error below GAP/2, the background still becomes 0. GAP is wide for a reason: a
 * sampler then decides at noise of a tenth of the range whether a pixel has ink. A network learns this level
 * of noise well.
 *
 * cuts.ts has the other decoder. Its cuts are set so that the samples have the greys of the data.
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
  GREYS,
  type GreyCuts,
  type GreyKind,
  greyCounts,
  greysByCuts,
  listField,
  rounded,
} from './cuts.ts';

/** 256 numbers that increase from -1 to 1. The list is empty for linear tones. */
export type Tones = readonly number[];

const GAP = 0.4;
const SHARE = 0.7;

/** Tones in which the frequent greys of a data set are farther apart: see the file's header. */
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
  /** The tone of each grey. Tones are linear by default. */
  readonly tones?: Tones;
  /** The cuts that decode numbers to greys. By default the nearest tone decides. */
  readonly cuts?: GreyCuts;
  /** Cuts for each kind of picture, used instead of the common `cuts`. If given, `cuts` is required too. */
  readonly kinds?: readonly GreyKind[];
}

/** The fields of tones and cuts in a file. A missing field means an empty list. */
export const TONES_FIELDS = { tones: listField(GREYS, true), ...CUTS_FIELDS };

/** Tones and cuts as settings. Empty ones are left out. @throws ValueError for invalid lists */
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

/** Encodes pictures in [0, 1] as the tones in [-1, 1] that diffusion networks use. */
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
  // For a value byte/255 in float32, the rounding error of `place` is less than 1e-4.
  if (Math.abs(place - grey) < 1e-4) return tones[grey];
  const below = Math.floor(place);
  return tones[below] + (place - below) * (tones[below + 1] - tones[below]);
}

/**
 * Decodes the output of a network to pixels in [0, 1]. With linear tones and no cuts, values outside [-1, 1]
 * become pixels outside [0, 1]. NaN stays NaN.
 * @param size how many numbers one picture has. By default all values are one picture.
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
