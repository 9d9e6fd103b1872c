/**
 * Checks of what callers write by name: the keys of an options object, and names of samplers, schedules and so on. An
 * unknown name is an error that suggests the nearest known name. Upper and lower case do not matter for names.
 */
import { didYouMean, shortened, ValueError } from './errors.ts';

/** The keys of T that may be left out. */
type Optional<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];

/**
 * A default for every option. The compiler refuses a table that lacks a key of T or has a key that T does not have. The
 * default is `undefined` for an option without one.
 */
export type Defaults<T> = { readonly [K in keyof T]-?: T[K] | undefined };

/** T with the defaults filled in. */
type Filled<T, D> = {
  readonly [K in keyof T]-?: K extends keyof D & Optional<T>
    ? undefined extends D[K]
      ? T[K] | undefined
      : Exclude<T[K], undefined>
    : T[K];
};

/** The keys of D that T does not have. Their type is `never`, so the compiler refuses them. */
type Strange<T, D> = { readonly [K in Exclude<keyof D, keyof T>]: never };

/**
 * The options, with defaults for the missing ones. An option that is `undefined` gets its default.
 *
 * @param what the name of the function or class in messages
 * @param defaults one for every key that `options` may have
 * @throws ValueError for a value that is not an object, or for an unknown key
 */
export function withDefaults<T extends object, const D extends Defaults<T>>(
  what: string,
  options: T,
  defaults: D & Strange<T, D>,
): Filled<T, D> {
  checkKeys(what, options, Object.keys(defaults));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) } as Filled<T, D>;
}

/** @throws ValueError for a value that is not an object, or for a key that is not in `keys` */
export function checkKeys(what: string, options: object, keys: readonly string[]): void {
  if (typeof options !== 'object' || options === null || isOfClass(options)) {
    throw new ValueError(`${what}: expected an object of options, got ${describe(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (keys.includes(key)) continue;
    const known = keys.length === 0 ? 'no options' : `options ${keys.join(', ')}`;
    throw new ValueError(`${what}: expected ${known}, got "${key}".${didYouMean(key, keys)}`);
  }
}

/**
 * Returns the entry of `names` that equals `name`, ignoring case.
 * @throws ValueError that lists them all
 */
export function oneOf<T extends string>(what: string, names: readonly T[], name: T): T {
  const lower = typeof name === 'string' ? name.toLowerCase() : null;
  const found = names.find((known) => known.toLowerCase() === lower);
  if (found !== undefined) return found;
  const known = names.length > 2 ? `one of ${names.join(', ')}` : names.join(' or ');
  const got = lower === null ? describe(name) : `"${name}".${didYouMean(name, names)}`;
  throw new ValueError(`${what}: expected ${known}, got ${got}`);
}

/** As `oneOf`, for a table of things with names. @throws ValueError */
export function named<T>(what: string, table: readonly T[], name: string, nameOf: (thing: T) => string): T {
  const names = table.map(nameOf);
  return table[names.indexOf(oneOf(what, names, name))];
}

/** Whether an object has a class of its own, as a tensor or a model has. */
function isOfClass(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

/** Describes a value in a few words for messages: `2`, `"abc"`, `nothing`, `an Adam`, `an object { flip }`. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `"${shortened(value)}"`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return `a ${typeof value}`;
  if ('shape' in value && Array.isArray(value.shape)) return `a tensor [${value.shape}]`;
  if (!isOfClass(value)) return `an object { ${Object.keys(value).join(', ')} }`;
  const { name } = value.constructor;
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}
