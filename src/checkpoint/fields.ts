/**
 * Checks the fields of a file's metadata before a model is built from them.
 *
 *     readFields(sizes, { hidden: whole(1, 4096), depth: optional(whole(1, 100), 3) }, 'model.safetensors: sizes')
 *
 * A table has the name and the kind of each field: a whole number, one of several names, or optional. Fields that are
 * not in the table are ignored, because a later version may write more fields.
 */
import { didYouMean, FormatError } from '../errors.ts';

/** The allowed values of one field. */
export interface Field<T> {
  /** The text for errors, such as `a whole number from 1 to 10`. */
  readonly expected: string;
  accepts(value: unknown): value is T;
  /** The allowed names: an error suggests the nearest. */
  readonly names?: readonly string[];
  /** The value if the field is absent. */
  readonly absent?: T;
}

type Values<F> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** A whole number from `from` to `to`. */
export const whole = (from: number, to: number): Field<number> => ({
  expected: `a whole number from ${from} to ${to}`,
  accepts: (value): value is number =>
    Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
});

/** One of these names. */
export const oneOf = <T extends string>(names: readonly T[]): Field<T> => ({
  expected: `one of ${names.join(', ')}`,
  accepts: (value): value is T => names.includes(value as T),
  names,
});

/** A field that may be absent. */
export const optional = <T>(field: Field<T>, absent: T): Field<T> => ({ ...field, absent });

/** Whether `value` is an object, not null and not a list. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const SHOWN = 40;

/** A short text for a value of any size. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') {
    return value.length > SHOWN ? `${JSON.stringify(value.slice(0, SHOWN))}…` : JSON.stringify(value);
  }
  if (Array.isArray(value)) return 'a list';
  return isRecord(value) ? 'an object' : String(value);
}

/**
 * The fields of `value`, checked by the table.
 * @param what the name of the file and its part in errors
 * @throws FormatError if the value is not an object, or a field has a value that its kind does not allow
 */
export function readFields<F extends Readonly<Record<string, Field<unknown>>>>(
  value: unknown,
  fields: F,
  what: string,
): Values<F> {
  if (!isRecord(value)) throw new FormatError(`${what}: expected an object, got ${show(value)}`);
  const read = Object.entries(fields).map(([name, field]) => {
    const got = Object.hasOwn(value, name) ? value[name] : undefined;
    if (got === undefined && field.absent !== undefined) return [name, field.absent];
    if (!field.accepts(got)) throw refusal(name, field, got, what);
    return [name, got];
  });
  return Object.fromEntries(read);
}

function refusal(name: string, { expected, names = [] }: Field<unknown>, got: unknown, what: string) {
  const near = typeof got === 'string' && got.length <= SHOWN ? didYouMean(got, names) : '';
  const text = `${what}: expected ${name} to be ${expected}, got ${show(got)}`;
  return new FormatError(near ? `${text}.${near}` : text);
}
