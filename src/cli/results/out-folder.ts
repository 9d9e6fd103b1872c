/** The folder that results go to: found unwritable before the work and not after it. */
import { existsSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { host } from '#host';
import { FileError } from '../../errors.ts';
import { fileError, makeFolder } from '../../platform/node.ts';
import { removeLeftovers, TRIAL } from './leftovers.ts';

/**
 * Makes the folder `out`, checks that `files` can be written into it, and removes what killed processes left there.
 * @returns what to call when the work has failed: it takes away again what was made if nothing is in it
 * @throws FileError
 */
export function requireWritable(out: string, files: readonly string[]): () => void {
  const made: string[] = []; // innermost first
  for (let folder = out; !existsSync(folder); folder = dirname(folder)) made.push(folder);
  try {
    makeFolder(out);
    rmdirSync(mkdtempSync(join(out, TRIAL)));
    removeLeftovers(out);
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

/** What a file is to hold, made when it is written. */
export type Content = () => Uint8Array | string | Promise<Uint8Array | string>;

/**
 * Writes files into `out`, each whole or not at all, and returns their paths with what is in each. A file that fails
 * does not keep the others from being written.
 * @param files what is in each file, by its name
 * @param contents of those that are to be written
 * @throws the first failure
 */
export async function writeAll<N extends string>(
  out: string,
  files: Readonly<Record<N, string>>,
  contents: Partial<Record<N, Content>>,
): Promise<[path: string, what: string][]> {
  const written: [string, string][] = [];
  const failures: unknown[] = [];
  for (const [name, content] of Object.entries(contents) as [N, Content][]) {
    try {
      await host.writeFileAtomic(join(out, name), await content());
      written.push([join(out, name), files[name]]);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return written;
}
