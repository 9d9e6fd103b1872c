/** Options as they were typed, and their values by the tables of settings. */
import { ValueError } from '../../errors.ts';
import { defaultOf, readSetting, type Settings, type ValuesOf } from '../../models/setting.ts';

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends ValueError {}

/** Options and words of a command line by their names in the tables: text, or true for an option without a value. */
export type Options = Readonly<Record<string, string | true | undefined>>;

/**
 * Calls `body`; what it refuses as a value is a fault of the command line.
 * @param before what stands in front of its message: `--` where that begins with the name of an option
 * @throws UsageError
 */
export function asUsage<T>(body: () => T, before = ''): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof ValueError && !(error instanceof UsageError)
      ? new UsageError(`${before}${error.message}`)
      : error;
  }
}

/**
 * The values of a table's settings: as typed, or else the defaults.
 * @param decided what other tables have said, where a default depends on it
 * @throws UsageError
 */
export function readSettings<T extends Settings>(
  table: T,
  options: Options,
  decided: Readonly<Record<string, unknown>> = {},
): ValuesOf<T> {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const given = options[name];
    if (typeof given === 'string') values[name] = asUsage(() => readSetting(setting, given));
    else values[name] = given ?? defaultOf(setting, { ...decided, ...values });
  }
  return values as ValuesOf<T>;
}
