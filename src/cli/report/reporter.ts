/**
 * Chooses how a run reports: by a progress bar on a terminal, by lines of text elsewhere, by JSON for programs, or not
 * at all. Reports go to standard output. Warnings go to standard error.
 */
import { type Options, UsageError } from '../options/arguments.ts';
import { BarReporter } from './bar-reporter.ts';
import { type Reporter, warn } from './events.ts';
import { JsonReporter } from './json-reporter.ts';
import { LineReporter } from './line-reporter.ts';

export type * from './events.ts';

/**
 * The reporter that the options select. The tour sets the option `progress` for its commands, so that they report only
 * their progress.
 * @throws UsageError for --json and --quiet together
 */
export function createReporter({ json, quiet, progress }: Options): Reporter {
  if (json && quiet) throw new UsageError('--json: expected no --quiet with it, got both');
  if (json) return new JsonReporter();
  const brief = progress === true;
  if (quiet && !brief) return { event: warn, close() {} };
  return process.stdout.isTTY ? new BarReporter(brief) : new LineReporter(brief);
}
