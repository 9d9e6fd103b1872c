/**
 * The thirds of each digit's distribution, for every attribute. A third of the digit's pictures lies below `low`, and a
 * third above `high`. The words of captions name the two outer thirds.
 *
 * An outer third has a word only if it looks different from an average digit. Its median must differ from the median of
 * the digit by at least half a pixel for width and height, a quarter of a pixel for the thickness, and 0.1 for the slant.
 * In MNIST the longer side of each digit has 20 pixels. So most digits there are neither short nor tall. A one has no
 * word for its width, because its width is that of its stroke.
 */
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import { ValueError } from '../../errors.ts';
import { ATTRIBUTES, type AttributeName, type Attributes, measureAttributes } from './attributes.ts';
import { type Meaning, NUMERALS, type OuterThird } from './words.ts';

/** A third of a distribution. */
export type Third = OuterThird | 'middle';

/** The bounds of the middle third, and the outer thirds that have words. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly words: readonly OuterThird[];
}

/** The thirds of the digits 0 to 9, by digit. */
export type Thirds = readonly Readonly<Record<AttributeName, Bounds>>[];

/** The least distance of a third's median from the median of the digit. */
const VISIBLE: Attributes = { thickness: 0.25, slant: 0.1, width: 0.5, height: 0.5 };

/** The number of classes that the captions have words for. */
export const DIGITS = NUMERALS.length;

/** The attributes of each picture of a data set. @throws ValueError for pictures that are no grey digits */
export function attributesOf(dataset: Dataset): Attributes[] {
  const { name, length, images, classes, channels } = dataset;
  if (classes !== DIGITS || channels !== 1) {
    throw new ValueError(
      `captions: expected grey pictures of ${DIGITS} digits, got ${classes} classes and ${channels} channels in ${name}`,
    );
  }
  const size = pictureSize(dataset);
  return Array.from({ length }, (_, i) =>
    measureAttributes(images.subarray(i * size, (i + 1) * size), dataset),
  );
}

/** The thirds of each digit. @param labels the digit of each picture @throws ValueError if a digit has fewer than 3 pictures */
export function thirdsOf(attributes: readonly Attributes[], labels: ArrayLike<number>): Thirds {
  return NUMERALS.map((numeral, digit) => {
    const own = attributes.filter((_, i) => labels[i] === digit);
    if (own.length < 3) {
      throw new ValueError(
        `captions: expected 3 pictures or more of each digit, got ${own.length} of ${numeral}`,
      );
    }
    const bounds = (name: AttributeName) =>
      boundsOf(name, digit, Float64Array.from(own, (a) => a[name]).sort());
    return Object.fromEntries(ATTRIBUTES.map((name) => [name, bounds(name)])) as Record<
      AttributeName,
      Bounds
    >;
  });
}

function boundsOf(name: AttributeName, digit: number, sorted: Float64Array): Bounds {
  const at = (share: number) => sorted[Math.floor(share * sorted.length)];
  const isNamed = {
    low: at(1 / 2) - at(1 / 6) >= VISIBLE[name],
    high: at(5 / 6) - at(1 / 2) >= VISIBLE[name],
  };
  const words = (['low', 'high'] as const).filter(
    (third) => isNamed[third] && !(digit === 1 && name === 'width'),
  );
  return { low: at(1 / 3), high: at(2 / 3), words };
}

/** The third in which a value lies. */
export const thirdOf = (value: number, { low, high }: Bounds): Third =>
  value < low ? 'low' : value > high ? 'high' : 'middle';

/** All that words can say about a digit with these attributes. */
export function fullMeaning(thirds: Thirds, digit: number, attributes: Attributes): Meaning {
  const named = ATTRIBUTES.flatMap((name) => {
    const bounds = thirds[digit][name];
    const third = thirdOf(attributes[name], bounds);
    return third !== 'middle' && bounds.words.includes(third) ? [[name, third] as const] : [];
  });
  return { digit, named: Object.fromEntries(named) };
}
