/**
 * The name of the program for hints and examples. It is `langevin` if the shell started a file of this name. Otherwise
 * it is `npx langevin`, which works in a clone of the project and in a project that has installed it.
 */
import { basename } from 'node:path';

/**
 * The name of the program.
 * @param started the path of the started file
 * @param environment the environment variables. npm sets some of them.
 */
export function programName(
  started: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const byNpm = environment.npm_command !== undefined || environment.npm_lifecycle_event !== undefined;
  return !byNpm && basename(started) === 'langevin' ? 'langevin' : 'npx langevin';
}

/** The name for hints and examples. */
export const PROGRAM = programName(process.argv[1] ?? '', process.env);
