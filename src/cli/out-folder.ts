/** The folder that results go to: found unwritable before the work and not after it. */
import { existsSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../errors.ts';
import { fileError, makeFolder } from '../platform/node.ts';

/**
 * Makes the folder `out` and checks that `files` can be written into it.
 * @returns what to call when the work has failed: it takes the folder away again if nothing is in it
 * @throws FileError
 */
export function requireWritable(out: string, files: readonly string[]): () => void {
  const isNew = !existsSync(out);
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
    if (isNew && readdirSync(out).length === 0) rmdirSync(out);
  };
}
