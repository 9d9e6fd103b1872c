/**
 * Who hears of a run while it goes on: a progress bar on a terminal, a line every few seconds elsewhere, one JSON
 * object a line for programs, or nobody. All of it goes to standard output; warnings, which are no result, go to
 * standard error.
 */
import { type Options, UsageError } from '../options/arguments.ts';
import { BarReporter } from './bar-reporter.ts';
import { type Reporter, warn } from './events.ts';
import { JsonReporter } from './json-reporter.ts';
import { LineReporter } from './line-reporter.ts';

export type * from './events.ts';

/**
 * The reporter that the options ask for. The tour gives its commands the option `progress`: they show how far they
 * are, and nothing else.
 * @throws UsageError
 */
export function createReporter({ json, quiet, progress }: Options): Reporter {
  if (json && quiet) throw new UsageError('--json and --quiet exclude each other, got both');
  if (json) return new JsonReporter();
  const brief = progress === true;
  if (quiet && !brief) return { event: warn, close() {} };
  return process.stdout.isTTY ? new BarReporter(brief) : new LineReporter(brief);
}
