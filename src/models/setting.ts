/**
 * Declares a setting of a recipe or a figure: its option on the command line, its kind of value, its default and its
 * meaning. settings.ts has the tables of settings. The command parses its options by these declarations, and a page
 * parses its fields. Nothing here depends on Node.
 */
import { didYouMean, shortened, ValueError } from '../errors.ts';

/** The value of a setting. A list comes from words with commas, a record from name=value pairs. */
export type Value =
  | string
  | number
  | boolean
  | readonly string[]
  | readonly number[]
  | Readonly<Record<string, number>>;

/** A condition on numbers. `expected` describes it in error messages. */
export interface Range {
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

/**
 * The kinds of settings. `choice` is one of the names, and `choices` is a list of names with commas. `counts` is a list
 * of whole numbers with commas. `assignments` is a list of name=value with commas, and the option can be repeated.
 * `flag` is an option without a value.
 */
export type Kind =
  | { readonly kind: 'number'; readonly range: Range }
  | { readonly kind: 'text' | 'flag' | 'assignments' | 'counts' }
  | { readonly kind: 'choice' | 'choices'; readonly names: readonly string[] };

/** A setting with values V and the default D. The default is null if other settings or the model determine it. */
export interface Setting<V extends Value = Value, D extends V | null = V | null> {
  readonly is: Kind;
  /** The name of the option, such as `batch-size`, or of the argument. */
  readonly flag: string;
  /** An older name of the option, which is still accepted. */
  readonly alias?: string;
  /** Whether the setting is an argument, such as `gbm` in `langevin sde gbm`, and not an option. */
  readonly argument?: boolean;
  /** The name of the value in help texts: `n` in `<n>`. */
  readonly placeholder: string;
  readonly default: D;
  /** Another default. It applies if the named setting has the value `is`, or one of these values. */
  readonly defaultWhen?: {
    readonly setting: string;
    readonly is: string | readonly string[];
    readonly default: V;
  };
  /** The default in words, for help texts. Without it they show the value. */
  readonly defaultText?: string;
  /** The meaning in one or two sentences, for help texts and pages. */
  readonly meaning: string;
}

/** A table of settings. The keys are the names of options in programs, such as `batchSize`. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values of a table of settings. A value without a default can be undefined. */
export type ValuesOf<T extends Settings> = {
  readonly [K in keyof T]: T[K] extends Setting<infer V, infer D>
    ? D extends null
      ? V | undefined
      : V
    : never;
};

/** The optional fields of a declaration. */
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

/** A number that satisfies a condition. */
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
/** A fraction, from 0 to 1. */
export const share = inRange({ expected: 'a number from 0 to 1', holds: (x) => x >= 0 && x <= 1 });
/** A decay rate, from 0 to below 1. */
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
/** One of `names`. Upper and lower case are the same. */
export const choice = <N extends string>(names: readonly N[]) =>
  declare<N>({ kind: 'choice', names }, 'name');
/** One or several of `names`. Upper and lower case are the same. */
export const choices = <N extends string>(names: readonly N[]) =>
  declare<readonly N[]>({ kind: 'choices', names }, 'name,...');

/** The default of a setting. @param given the other settings @returns undefined if the model determines the default */
export function defaultOf(
  setting: Setting,
  given: Readonly<Record<string, unknown>> = {},
): Value | undefined {
  const { defaultWhen: when } = setting;
  if (when && [when.is].flat().includes(given[when.setting] as string)) return when.default;
  return setting.default ?? undefined;
}

/** The defaults of a table, without regard to `defaultWhen`. */
export function defaultsOf<T extends Settings>(table: T): ValuesOf<T> {
  const entries = Object.entries(table).map(([name, setting]) => [name, setting.default ?? undefined]);
  return Object.fromEntries(entries) as ValuesOf<T>;
}

/** The name of a setting in error messages: `--epochs` for an option, `set` for an argument. */
export const nameOf = ({ flag, argument }: Setting): string => (argument ? flag : `--${flag}`);

const refuse = (setting: Setting, expected: string, got: string, near = '') =>
  new ValueError(`${nameOf(setting)}: expected ${expected}, got "${shortened(got)}"${near && `.${near}`}`);

/** The name that is equal to `word`, in upper or lower case. @throws ValueError with the nearest name */
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

/** The numbers of `a=1,b=2`. NaN and infinity are accepted here, because the process checks its parameters. */
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

/** Converts a text to the value of a setting. @throws ValueError that names the option */
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
      throw refuse(setting, 'whole numbers, such as 3,1,4', given);
    }
    case 'assignments':
      return pairsIn(setting, given);
    default:
      return given;
  }
}

/** Converts a value to a text that `readSetting` reads. */
export function settingText(value: Value): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, number]) => `${name}=${number}`)
    .join(',');
}
