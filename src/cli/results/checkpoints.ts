/**
 * The checkpoints of a run that can go on: `checkpoint-<steps>.safetensors`, each written whole or not at all, of
 * which the last two are kept. Should the newest be damaged, the older one is usable, and the error says so.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { host } from '#host';
import { type Checkpoint, loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import { FileError, FormatError } from '../../errors.ts';
import { fileError } from '../../platform/node.ts';

const NAME = /^checkpoint-(\d+)\.safetensors$/;

const stepsOf = (path: string): number => Number(NAME.exec(basename(path))?.[1]);

/** The checkpoints in a folder, newest first. @throws FileError */
function list(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => NAME.test(file))
      .sort((a, b) => stepsOf(b) - stepsOf(a))
      .map((file) => join(folder, file));
  } catch (error) {
    throw fileError(error, `read the folder ${folder}`);
  }
}

/**
 * Writes a checkpoint after so many steps, and then deletes all but it and the one before.
 * @param first of its run: those that are there are of another, and none is the one before
 * @throws FileError
 */
export async function writeCheckpoint(
  folder: string,
  steps: number,
  bytes: Uint8Array,
  first: boolean,
): Promise<void> {
  const path = join(folder, `checkpoint-${String(steps).padStart(8, '0')}.safetensors`);
  await host.writeFileAtomic(path, bytes);
  // One that has more steps is of another course, which this run has left.
  const before = first ? undefined : list(folder).find((file) => stepsOf(file) < steps);
  for (const file of list(folder)) if (file !== path && file !== before) rmSync(file, { force: true });
}

/**
 * The checkpoint that a run goes on from: a file, or the newest one of a folder.
 * @throws FileError, FormatError which names an older one where there is one
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const [file, older] = isFolder ? list(path) : [path];
  if (!file) throw new FileError(`${path}: expected a checkpoint of langevin train diffusion, found none`);
  try {
    return await loadCheckpoint(file);
  } catch (error) {
    const other = older ?? list(dirname(file)).find((name) => stepsOf(name) < stepsOf(file));
    if (!(error instanceof FormatError) || !other) throw error;
    throw new FormatError(`${error.message}; an older one is there: --resume ${other}`);
  }
}

/** The folder that a checkpoint lies in. */
export const folderOf = (path: string): string => dirname(path);
