/**
 * How a person calls the program here: `langevin` where a file of that name was started from the shell, else
 * `npx langevin`, which works wherever npm started it (npx, npm start) and in a clone.
 */
import { basename } from 'node:path';

/** @param started the path of the started file; @param environment where npm leaves its marks */
export function programName(
  started: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const byNpm = environment.npm_command !== undefined || environment.npm_lifecycle_event !== undefined;
  return !byNpm && basename(started) === 'langevin' ? 'langevin' : 'npx langevin';
}

/** As hints and examples write it. */
export const PROGRAM = programName(process.argv[1] ?? '', process.env);
