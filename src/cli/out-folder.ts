/** The folder that results go to: found unwritable before the work and not after it. */
import { existsSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileError } from '../errors.ts';
import { fileError, makeFolder } from '../platform/node.ts';

/**
 * Makes the folder `out` and checks that `files` can be written into it.
 * @returns what to call when the work has failed: it takes away again what was made if nothing is in it
 * @throws FileError
 */
export function requireWritable(out: string, files: readonly string[]): () => void {
  const made: string[] = []; // innermost first
  for (let folder = out; !existsSync(folder); folder = dirname(folder)) made.push(folder);
  try {
    makeFolder(out);
    rmdirSync(mkdtempSync(join(out, '.langevin-')));
  } catch (error) {
    throw fileError(error, `write to the folder ${out}`);
  }
  for (const file of files) {
    const path = join(out, file);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw new FileError(`cannot write ${path}: it is a folder, not a file`);
    }
  }
  return () => {
    for (const folder of made) {
      if (!existsSync(folder) || readdirSync(folder).length > 0) return;
      rmdirSync(folder);
    }
  };
}
