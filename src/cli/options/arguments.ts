/** Converts the options of a command line to values, by the tables of settings. */
import { ValueError } from '../../errors.ts';
import { defaultOf, readSetting, type Settings, type ValuesOf } from '../../models/setting.ts';

/** An invalid command line. The exit code is 2. */
export class UsageError extends ValueError {}

/** The options of a command line, by their names in the tables. A flag has the value true, other options have text. */
export type Options = Readonly<Record<string, string | true | undefined>>;

/**
 * Calls `body`, and turns its ValueErrors into UsageErrors: a wrong value is an error of the command line.
 * @param before text to put before the message, such as `--` before a message that begins with an option's name
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
 * The values of all settings of a table: those of the command line, else the defaults.
 * @param decided values of settings in other tables, because a default can depend on them
 * @throws UsageError for a value that a setting does not accept
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
