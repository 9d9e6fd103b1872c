/**
 * `strokes`: synthetic handwritten digits in the format of MNIST. They are 28x28, with white ink (255) on black (0). A
 * digit lies within 20x20 pixels, and its centre of mass is on pixel (14, 14). The sequence is infinite and labelled:
 * sample `index` of `seed` is a pure function of both, with the same bytes on every engine. `strokes-hand.ts` makes a
 * random skeleton, and `strokes-pen.ts` draws it. A sample has its attributes, and `caption` describes them in words.
 *
 * Left out on purpose: the hard cases of MNIST, such as specks, broken strokes and digits that nobody can read.
 */
import seedrandom from 'seedrandom';
import { ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { chooseAttributes, chooseForm, type StrokeAttributes, write } from './strokes-hand.ts';
import { BOX, centre, Pen, SIDE } from './strokes-pen.ts';

export type { StrokeAttributes } from './strokes-hand.ts';

/** One drawn digit. */
export interface StrokeSample {
  /** 28 * 28 bytes, row by row, 255 is white. */
  readonly pixels: Uint8Array;
  /** 0 to 9. */
  readonly label: number;
  /** What the digit was drawn with: its pen and its posture. */
  readonly attributes: StrokeAttributes;
}

/** Many drawn digits; image i is `images.subarray(784 * i, 784 * (i + 1))`. */
export interface StrokeSet {
  /** [count, 28, 28] */
  readonly images: Uint8Array;
  /** [count], 0 to 9. */
  readonly labels: Uint8Array;
  /** What each digit was drawn with, [count]. */
  readonly attributes: StrokeAttributes[];
}

const PIXELS = SIDE * SIDE;
const pen = new Pen();
const box = new Uint8Array(BOX * BOX);

/**
 * Draws sample `index` into `pixels`. The class is drawn even if it is given: so an index has the same pen and posture
 * for each class. The key begins with the index, because alea mixes the first characters of a key best. With the seed
 * first, the classes of neighbouring samples were correlated.
 */
function draw(seed: string | number, index: number, given: number | undefined, pixels: Uint8Array) {
  const u = seedrandom.alea(`${index}/${seed}`);
  const chosen = Math.floor(10 * u());
  const digit = given ?? chosen;
  const form = chooseForm(digit, u);
  const attributes = chooseAttributes(digit, form, u);
  const { xs, ys, radii, strokes } = write(form, attributes, u);
  pen.clear();
  for (let s = 0; s + 1 < strokes.length; s++) pen.stroke(xs, ys, radii, strokes[s], strokes[s + 1]);
  pen.fit(attributes.size);
  pen.render(box);
  centre(box, pixels);
  return attributes;
}

function checkWhole(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new ValueError(`strokes: expected ${name} to be a whole number from 0 to ${most}, got ${value}`);
}

/**
 * Draws sample `index` of the infinite sequence of `seed` (the seeds 1 and '1' are the same).
 *
 * @param digit draw this digit, with the same pen and posture, instead of a random one
 * @throws ValueError unless index is a whole number >= 0 and digit one from 0 to 9
 */
export function strokeDigit(seed: string | number, index: number, digit?: number): StrokeSample {
  checkWhole('index', index, Number.MAX_SAFE_INTEGER);
  if (digit !== undefined) checkWhole('digit', digit, 9);
  const pixels = new Uint8Array(PIXELS);
  const attributes = draw(seed, index, digit, pixels);
  return { pixels, label: attributes.digit, attributes };
}

/**
 * Draws the samples `start` to `start + count` (exclusive) of `seed`. Each sample has each class with probability 1/10,
 * independently. So any range is a random sample, and disjoint ranges can be a training and a test set.
 *
 * @param options.start first index, 0 by default
 * @param options.digit draw only this digit
 * @throws ValueError as `strokeDigit`, or if the pictures need more than 2 GiB
 */
export function strokeDigits(
  seed: string | number,
  count: number,
  options: { start?: number; digit?: number | undefined } = {},
): StrokeSet {
  const { start, digit } = withDefaults('strokeDigits', options, { start: 0, digit: undefined });
  checkWhole('count', count, Math.floor(0x7fffffff / PIXELS));
  checkWhole('start', start, Number.MAX_SAFE_INTEGER - count);
  if (digit !== undefined) checkWhole('digit', digit, 9);
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  const attributes: StrokeAttributes[] = [];
  for (let i = 0; i < count; i++) {
    const drawn = draw(seed, start + i, digit, images.subarray(i * PIXELS, (i + 1) * PIXELS));
    labels[i] = drawn.digit;
    attributes.push(drawn);
  }
  return { images, labels, attributes };
}

const NUMERALS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/**
 * The attributes in words, such as `a small thick slanted crossed seven`. An attribute is named only if it is far from
 * the average. `slanted` is for slant and rotation together. A one is never wide or narrow.
 */
export function caption(a: StrokeAttributes): string {
  const lean = a.slant + a.rotation;
  const words = [
    a.size < 18 && 'small',
    a.thickness < 2.1 ? 'thin' : a.thickness > 3.1 && 'thick',
    a.digit !== 1 && (a.width < 0.88 ? 'narrow' : a.width > 1.12 && 'wide'),
    lean < -0.1 ? 'back-slanted' : lean > 0.32 && 'slanted',
    a.form !== 'plain' && a.form,
    NUMERALS[a.digit],
  ].filter(Boolean);
  const article = words[0] === 'open' || words[0] === 'eight' ? 'an' : 'a';
  return `${article} ${words.join(' ')}`;
}
