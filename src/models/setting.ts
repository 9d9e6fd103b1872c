/**
 * One setting of a recipe or a figure: its option on the command line, what it may be, its default and its meaning.
 * settings.ts holds the tables of them. The command reads its options by these declarations, and a page its fields.
 * Nothing here knows Node.
 */
import { didYouMean, ValueError } from '../errors.ts';

/** What a setting can hold: text stands for itself, a list for words with commas, a record for name=value pairs. */
export type Value =
  | string
  | number
  | boolean
  | readonly string[]
  | readonly number[]
  | Readonly<Record<string, number>>;

/** The numbers that a setting takes, and the same in words. */
export interface Range {
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

/**
 * The kinds of settings. `choices` are several of the names with commas; `counts` are whole numbers with commas;
 * `assignments` are name=value with commas, or the option several times; `flag` is an option without a value.
 */
export type Kind =
  | { readonly kind: 'number'; readonly range: Range }
  | { readonly kind: 'text' | 'flag' | 'assignments' | 'counts' }
  | { readonly kind: 'choice' | 'choices'; readonly names: readonly string[] };

/** A setting with values V and the default D; null is a default that another setting or the model decides. */
export interface Setting<V extends Value = Value, D extends V | null = V | null> {
  readonly is: Kind;
  /** The option's name, `batch-size`; the word itself where it stands without one, as in `langevin sde gbm`. */
  readonly flag: string;
  /** An older name of the option, which is still taken. */
  readonly alias?: string;
  /** Whether it is a word of the command line without an option's name. */
  readonly argument?: boolean;
  /** What stands for the value in help: `<n>`. */
  readonly placeholder: string;
  readonly default: D;
  /** Another default where another setting has a certain value, or one of several. */
  readonly defaultWhen?: {
    readonly setting: string;
    readonly is: string | readonly string[];
    readonly default: V;
  };
  /** The default in words, where the value does not say it. */
  readonly defaultText?: string;
  /** One sentence, for people. */
  readonly meaning: string;
}

/** Settings by the names that programs use. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values of a table of settings; those without a default may be undefined. */
export type ValuesOf<T extends Settings> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V, infer D>
    ? D extends null
      ? V | undefined
      : V
    : never;
};

/** What a declaration may say beside flag, default and meaning. */
type More<V extends Value> = Partial<
  Pick<Setting<V>, 'alias' | 'argument' | 'placeholder' | 'defaultWhen' | 'defaultText'>
>;

const declare =
  <V extends Value>(is: Kind, placeholder: string) =>
  <D extends V | null>(flag: string, value: D, meaning: string, more: More<V> = {}): Setting<V, D> => ({
    is,
    flag,
    placeholder,
    default: value,
    meaning,
    ...more,
  });

/** A number in a range. */
export const inRange = (range: Range, placeholder = 'x') =>
  declare<number>({ kind: 'number', range }, placeholder);
const wholeFrom = (least: number): Range => ({
  expected: `a whole number >= ${least}`,
  holds: (n) => Number.isSafeInteger(n) && n >= least,
});
/** A whole number >= `least`. */
export const countFrom = (least: number) => inRange(wholeFrom(least), 'n');
/** A whole number from 1 to `most`. */
export const countTo = (most: number) =>
  inRange(
    {
      expected: `a whole number from 1 to ${most}`,
      holds: (n) => Number.isSafeInteger(n) && n >= 1 && n <= most,
    },
    'n',
  );
export const count = countFrom(1);
export const positive = inRange({ expected: 'a number > 0', holds: (x) => x > 0 });
export const notNegative = inRange({ expected: 'a number >= 0', holds: (x) => x >= 0 });
/** A share of the whole, 0 to 1. */
export const share = inRange({ expected: 'a number from 0 to 1', holds: (x) => x >= 0 && x <= 1 });
/** 0 to 1, without 1. */
export const decay = inRange({ expected: 'a number from 0 to below 1', holds: (x) => x >= 0 && x < 1 });
export const text = declare<string>({ kind: 'text' }, 'text');
/** An option without a value. */
export const flag = (name: string, meaning: string): Setting<boolean, boolean> =>
  declare<boolean>({ kind: 'flag' }, '')(name, false as boolean, meaning);
export const counts = declare<readonly number[]>({ kind: 'counts' }, 'n,...');
export const assignments = declare<Readonly<Record<string, number>>>(
  { kind: 'assignments' },
  'name=value,...',
);
/** One of `names`, whatever the case of its letters. */
export const choice = <N extends string>(names: readonly N[]) =>
  declare<N>({ kind: 'choice', names }, 'name');
/** Some of `names`. */
export const choices = <N extends string>(names: readonly N[]) =>
  declare<readonly N[]>({ kind: 'choices', names }, 'name,...');

/** The default among these other settings; undefined where something else decides. */
export function defaultOf(
  setting: Setting,
  given: Readonly<Record<string, unknown>> = {},
): Value | undefined {
  const { defaultWhen: when } = setting;
  if (when && [when.is].flat().includes(given[when.setting] as string)) return when.default;
  return setting.default ?? undefined;
}

/** The defaults of a table. */
export function defaultsOf<T extends Settings>(table: T): ValuesOf<T> {
  const entries = Object.entries(table).map(([name, setting]) => [name, setting.default ?? undefined]);
  return Object.fromEntries(entries) as ValuesOf<T>;
}

/** How errors name a setting: `--epochs`, or `set` for a word without an option's name. */
export const nameOf = ({ flag, argument }: Setting): string => (argument ? flag : `--${flag}`);

const refuse = (setting: Setting, expected: string, got: string, near = '') =>
  new ValueError(`${nameOf(setting)}: expected ${expected}, got "${got}"${near && `.${near}`}`);

/** The name that `word` is, whatever the case of its letters. @throws ValueError with the nearest name */
function nameIn(setting: Setting, names: readonly string[], word: string): string {
  const found = names.find((name) => name.toLowerCase() === word.toLowerCase());
  if (found !== undefined) return found;
  throw refuse(setting, names.join(', '), word, didYouMean(word, names));
}

function numberIn(setting: Setting, { expected, holds }: Range, word: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : Number.NaN;
  if (Number.isFinite(value) && holds(value)) return value;
  throw refuse(setting, expected, word);
}

/** `a=1,b=2` as numbers. NaN and infinity pass: the process says what it expects. */
function pairsIn(setting: Setting, words: string): Record<string, number> {
  const values: Record<string, number> = Object.create(null);
  for (const part of words.split(',')) {
    const [name = '', value = '', ...rest] = part.split('=').map((side) => side.trim());
    if (!/^[a-z]\w*$/i.test(name) || value === '' || rest.length > 0)
      throw refuse(setting, 'name=value', part);
    values[name] = Number(value);
  }
  return values;
}

/** The value that a text gives a setting. @throws ValueError, which names the option */
export function readSetting(setting: Setting, given: string): Value {
  const { is } = setting;
  if (given === '') throw new ValueError(`${nameOf(setting)}: expected a value, got an empty one`);
  switch (is.kind) {
    case 'number':
      return numberIn(setting, is.range, given);
    case 'choice':
      return nameIn(setting, is.names, given);
    case 'choices':
      return given.split(',').map((word) => nameIn(setting, is.names, word.trim()));
    case 'counts': {
      const numbers = given.split(',').map((word) => (/^\s*\d+\s*$/.test(word) ? Number(word) : Number.NaN));
      if (numbers.every(Number.isSafeInteger)) return numbers;
      throw refuse(setting, 'a whole number or several as in 3,1,4', given);
    }
    case 'assignments':
      return pairsIn(setting, given);
    default:
      return given;
  }
}

/** A value as `readSetting` reads it. */
export function settingText(value: Value): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, number]) => `${name}=${number}`)
    .join(',');
}
