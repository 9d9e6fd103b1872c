/**
 * The words of captions, and what they mean. A caption names a digit, and for some of its attributes whether it lies in
 * the lower or the upper third of that digit's distribution (thirds.ts): "a thin slanted three", "the bold 7 leaning to
 * the left". The order of the words has no meaning. Upper case, hyphens and punctuation do not count.
 *
 * A network knows a word by its place in `WORDS`. Files of networks store how many words they know. So new words are
 * added at the end, and no word is ever removed.
 */
import { didYouMean, shortened, ValueError } from '../../errors.ts';
import { ATTRIBUTES, type AttributeName } from './attributes.ts';

/** The numerals from 0 to 9. */
export const NUMERALS = [
  ...['zero', 'one', 'two', 'three', 'four'],
  ...['five', 'six', 'seven', 'eight', 'nine'],
] as const;

/** The outer thirds of a distribution. The middle third has no word. */
export type OuterThird = 'low' | 'high';

/** The synonyms for the outer thirds of each attribute. The slant has a verb and a direction. */
export const SYNONYMS = {
  thickness: { low: ['thin', 'fine', 'light'], high: ['thick', 'bold', 'heavy'] },
  slant: { low: ['left', 'back'], high: ['right', 'forward'] },
  width: { low: ['narrow', 'slim'], high: ['wide', 'broad'] },
  height: { low: ['short', 'low'], high: ['tall', 'high'] },
} as const satisfies Record<AttributeName, Record<OuterThird, readonly string[]>>;

/** The verbs of the slant. `slanted` without a direction is to the right. */
export const LEANING = ['leaning', 'tilted', 'slanted'] as const;
/** The verb that needs no direction. */
export const SLANTED = 'slanted';
/** The noun for any digit. */
export const ANY_DIGIT = 'digit';

/** All words. */
export const WORDS: readonly string[] = [
  ...['a', 'an', 'the', 'and', 'to', ANY_DIGIT],
  ...NUMERALS,
  ...NUMERALS.map((_, digit) => String(digit)),
  ...ATTRIBUTES.flatMap((name) => [...SYNONYMS[name].low, ...SYNONYMS[name].high]),
  ...LEANING,
];

/** The most words of a caption. */
export const MOST_WORDS = 12;

/** What a caption says. */
export interface Meaning {
  /** 0 to 9; null if the caption names no digit. */
  readonly digit: number | null;
  /** The attributes that it names. */
  readonly named: Readonly<Partial<Record<AttributeName, OuterThird>>>;
}

const EXAMPLE = 'such as "a thin slanted three"';

/**
 * The words of a caption in lower case, without punctuation.
 * @throws ValueError for an empty caption, one of more than 12 words, or an unknown word
 */
export function wordsOf(caption: string, count = WORDS.length, most = MOST_WORDS): string[] {
  const all = WORDS.slice(0, count);
  const words = caption.toLowerCase().match(/[^\s.,;:!?"'-]+/g) ?? [];
  if (words.length === 0) throw new ValueError(`caption: expected words, ${EXAMPLE}, got an empty caption`);
  const unknown = words.find((word) => !all.includes(word));
  if (unknown !== undefined) {
    const known = all.filter((word) => word.length > 2 && !['the', 'and'].includes(word));
    const near = didYouMean(unknown, known) || ` The words are ${known.join(', ')}, 0 to 9.`;
    throw new ValueError(`caption: expected known words, got "${shortened(unknown)}".${near}`);
  }
  if (words.length > most) {
    throw new ValueError(
      `caption: expected at most ${most} words, got ${words.length}: "${shortened(caption)}"`,
    );
  }
  return words;
}

/**
 * The places of the caption's words in `WORDS`.
 * @param known the number of words that a network knows, the first ones of `WORDS`; default: all
 * @param most the most words that it takes
 * @throws as `wordsOf`
 */
export const tokensOf = (caption: string, known = WORDS.length, most = MOST_WORDS): number[] =>
  wordsOf(caption, known, most).map((word) => WORDS.indexOf(word));

/**
 * What a caption says.
 * @throws as `wordsOf`, and ValueError for words that contradict each other, or a direction without its verb
 */
export function meaningOf(caption: string): Meaning {
  const words = wordsOf(caption);
  const digits = words.filter((word) => digitOf(word) >= 0);
  const other = digits.find((word) => digitOf(word) !== digitOf(digits[0]));
  if (other !== undefined) throw contradiction('one digit', digits[0], other);
  const named: Partial<Record<AttributeName, OuterThird>> = {};
  for (const name of ATTRIBUTES) {
    const [low, high] = (['low', 'high'] as const).map((third) => find(words, SYNONYMS[name][third]));
    if (low !== undefined && high !== undefined) throw contradiction(`one ${name}`, low, high);
    if (low !== undefined) named[name] = 'low';
    if (high !== undefined) named[name] = 'high';
  }
  const verb = find(words, LEANING);
  const direction = find(words, [...SYNONYMS.slant.low, ...SYNONYMS.slant.high]);
  if (verb !== undefined && direction === undefined) {
    if (!words.includes(SLANTED))
      throw new ValueError(`caption: expected left or right with "${verb}", got neither`);
    named.slant = 'high';
  }
  if (verb === undefined && direction !== undefined) {
    throw new ValueError(`caption: expected "leaning" with "${direction}", got "${shortened(caption)}"`);
  }
  return { digit: digits.length > 0 ? digitOf(digits[0]) : null, named };
}

/** The digit that a word names, or -1. */
function digitOf(word: string): number {
  const numeral = (NUMERALS as readonly string[]).indexOf(word);
  return /^\d$/.test(word) ? Number(word) : numeral;
}

const find = (words: readonly string[], wanted: readonly string[]) =>
  words.find((word) => wanted.includes(word));

const contradiction = (expected: string, first: string, second: string) =>
  new ValueError(`caption: expected ${expected}, got "${first}" and "${second}"`);
