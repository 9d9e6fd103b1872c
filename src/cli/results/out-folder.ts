/** The output folder. It is checked before the computation, so that no results are lost in an unwritable folder. */
import { existsSync, mkdtempSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { host } from '#host';
import { FileError } from '../../errors.ts';
import { fileError, makeFolder } from '../../platform/node.ts';
import { removeLeftovers, TRIAL } from './leftovers.ts';

/**
 * Creates the folder `out`, checks that it is writable, and removes the temporary files of killed processes.
 * @param files the names of the files to write. None of them may be a folder.
 * @returns a function to call at the end of the command. It removes the created folders that are still empty.
 * @throws FileError if the folder is not writable, or if one of the files is a folder
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
    try {
      for (const folder of made) {
        if (!existsSync(folder) || readdirSync(folder).length > 0) return;
        rmdirSync(folder);
      }
    } catch {} // an empty folder stays: the end of the command has the error that matters
  };
}

/** Computes the content of a file. It is called when the file is written. */
export type Content = () => Uint8Array | string | Promise<Uint8Array | string>;

/**
 * Writes files to the folder `out`. Each write is atomic. If one file fails, the others are written nevertheless.
 * @param files the description of each file, by its name
 * @param contents the contents of the files to write
 * @returns the paths of the written files, each with its description
 * @throws the first error, after all files have been tried
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
