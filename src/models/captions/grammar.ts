/**
 * Writes captions. A caption is a pure function of what it may say, of a seed and of an index. It names each attribute
 * with probability 3/4. It chooses among synonyms and word orders:
 *
 *     [a | the] adjectives [digit] numeral [leaning right | tilted to the left]
 *
 * The adjectives are in random order. `and` may stand before the last one. The slant is an
 * adjective or stands behind the numeral. One caption in twelve says `digit` and no numeral.
 */
import seedrandom from 'seedrandom';
import { ATTRIBUTES, type AttributeName } from './attributes.ts';
import { ANY_DIGIT, LEANING, type Meaning, NUMERALS, type OuterThird, SLANTED, SYNONYMS } from './words.ts';

/** The probability that an attribute is named. */
const NAMED = 0.75;

/** A caption, and the part of the meaning that it says. */
export interface Caption extends Meaning {
  readonly text: string;
}

/** Random choices. */
class Choices {
  private readonly random;

  constructor(seed: string | number, index: number) {
    // alea mixes the first characters of a key best, so the index comes first, as in strokes.ts.
    this.random = seedrandom.alea(`${index}/${seed}`);
  }

  has(probability: number): boolean {
    return this.random() < probability;
  }

  oneOf<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)];
  }

  shuffled<T>(values: readonly T[]): T[] {
    const keyed = values.map((value) => ({ value, key: this.random() }));
    return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
  }
}

/** A caption that says some of what it may say. @param full all that it may say, with a digit */
export function writeCaption(full: Meaning, seed: string | number, index: number): Caption {
  const choices = new Choices(seed, index);
  const named = Object.fromEntries(
    ATTRIBUTES.flatMap((name) => {
      const third = full.named[name];
      return choices.has(NAMED) && third ? [[name, third]] : [];
    }),
  );
  const digit = choices.has(1 / 12) ? null : full.digit;
  return { ...textOf({ digit, named }, choices) };
}

/** A caption that says exactly this, with random synonyms and word order. */
export function sayAll(meaning: Meaning, seed: string | number, index: number): Caption {
  return textOf(meaning, new Choices(seed, index));
}

function textOf(meaning: Meaning, choices: Choices): Caption {
  const { digit, named } = meaning;
  const others = Object.entries(named).filter(([name]) => name !== 'slant') as [AttributeName, OuterThird][];
  const adjectives = others.map(([name, third]) => choices.oneOf<string>(SYNONYMS[name][third]));
  const slant = named.slant && slantWords(named.slant, choices);
  if (slant?.isAdjective) adjectives.push(slant.words);
  const noun = nounOf(digit, choices);
  const after = slant && !slant.isAdjective ? [slant.words] : [];
  const ordered = choices.shuffled(adjectives);
  if (ordered.length > 1 && choices.has(1 / 4)) ordered.splice(-1, 0, 'and');
  const words = [...ordered, noun, ...after];
  const article = choices.oneOf(['a', 'a', 'the', '']);
  const fitting = article === 'a' && /^(eight|8)/.test(words[0]) ? 'an' : article;
  return { ...meaning, text: [fitting, ...words].filter((word) => word !== '').join(' ') };
}

/** Words for the slant, before or behind the noun: "slanted", "left leaning", "tilted to the right". */
function slantWords(third: OuterThird, choices: Choices): { words: string; isAdjective: boolean } {
  if (third === 'high' && choices.has(1 / 3)) return { words: SLANTED, isAdjective: true };
  const [verb, direction] = [choices.oneOf(LEANING), choices.oneOf(SYNONYMS.slant[third])];
  if (choices.has(1 / 3)) return { words: `${direction} ${verb}`, isAdjective: true };
  const isSide = direction === 'left' || direction === 'right';
  const where = isSide && choices.has(1 / 3) ? `to the ${direction}` : direction;
  return { words: `${verb} ${where}`, isAdjective: false };
}

function nounOf(digit: number | null, choices: Choices): string {
  if (digit === null) return ANY_DIGIT;
  const numeral = choices.has(1 / 4) ? String(digit) : NUMERALS[digit];
  return choices.has(1 / 8) ? `${ANY_DIGIT} ${numeral}` : numeral;
}
