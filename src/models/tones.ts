/**
 * Tones: the numbers that stand for the 256 greys of a pixel while a diffusion network works. Without a table they are
 * linear, v in [0, 1] to 2·v - 1. A table holds 256 numbers that increase from -1 to 1, one for each grey:
 *
 *     encode: grey to the table's number; values between two greys are interpolated
 *     decode: number to the nearest grey of the table, so that every picture has one of 256 greys
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

/** Tones that give the frequent greys of a data set more room: see the file's header. */
export function spreadTones({ images }: Dataset): Tones {
  const counts = new Float64Array(GREYS);
  for (const grey of images) counts[grey]++;
  const ink = images.length - counts[0];
  let below = 0;
  return Array.from(counts, (count, grey) => {
    if (grey === 0) return -1;
    const rank = ink === 0 ? (grey - 1) / (GREYS - 2) : (below + count / 2) / ink;
    below += count;
    const even = (grey - 1) / (GREYS - 2);
    return Number((-1 + GAP + (2 - GAP) * ((1 - SHARE) * even + SHARE * rank)).toFixed(DIGITS));
  });
}

/** Whether `value` is what tones can be. */
function isTones(value: unknown): value is Tones {
  if (!Array.isArray(value)) return false;
  const increases = value.every((tone, i) => Number.isFinite(tone) && (i === 0 || tone > value[i - 1]));
  const inRange = value[0] >= -1 && value[value.length - 1] <= 1;
  return value.length === 0 || (value.length === GREYS && increases && inRange);
}

const EXPECTED = `${GREYS} numbers that increase from -1 to 1`;

/** Tones in a file; linear where it says nothing of them. */
export const TONES_FIELD: Field<Tones> = { expected: EXPECTED, accepts: isTones, absent: [] };

/** Tones as a setting: linear ones are left out. */
export const tonesSetting = (tones: Tones): { readonly tones?: Tones } => (tones.length > 0 ? { tones } : {});

/** @throws ValueError for anything but tones */
export function checkTones(tones: Tones): Tones {
  if (isTones(tones)) return tones;
  throw new ValueError(`tones: expected ${EXPECTED}, or none, got ${JSON.stringify(tones)?.slice(0, 40)}`);
}

/** Pictures in [0, 1] as diffusion networks see them, in [-1, 1]. */
export function encodeTones(images: Tensor, tones: Tones): Tensor {
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

/** What a network made, as pixels in [0, 1]. Linear tones let values beyond -1 and 1 go beyond 0 and 1. */
export function decodeTones(values: ArrayLike<number>, tones: Tones): Float64Array {
  if (tones.length === 0) return Float64Array.from(values, (value) => (value + 1) / 2);
  return Float64Array.from(values, (value) => nearestGrey(tones, value) / (GREYS - 1));
}

/** The grey whose tone is nearest, by bisection. NaN stays NaN. */
function nearestGrey(tones: Tones, value: number): number {
  if (Number.isNaN(value)) return value;
  let [low, high] = [0, GREYS - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (tones[middle] <= value) low = middle;
    else high = middle;
  }
  return value - tones[low] < tones[high] - value ? low : high;
}
