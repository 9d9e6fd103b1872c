/**
 * The checkpoints of a run that can go on: `checkpoint-<steps>.safetensors`, each written whole or not at all, of
 * which the last two are kept. Should the newest be damaged, the older one is usable, and the error says so.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { host } from '#host';
import { type Checkpoint, loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import { FileError, FormatError } from '../../errors.ts';
import { runOf } from '../../models/training/resume.ts';
import { fileError } from '../../platform/node.ts';
import { readRunFile } from './run-folder.ts';

const NAME = /^checkpoint-(\d+)\.safetensors$/;

const stepsOf = (path: string): number => Number(NAME.exec(basename(path))?.[1]);

/** The checkpoints in a folder, newest first. @throws FileError */
export function listCheckpoints(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => NAME.test(file))
      .sort((a, b) => stepsOf(b) - stepsOf(a))
      .map((file) => join(folder, file));
  } catch (error) {
    throw fileError(error, `read the folder ${folder}`);
  }
}

/** Writes the checkpoints of one run, which keep no others beside them. */
export class CheckpointWriter {
  /** At most the last two of this run, the older one first. */
  private kept: string[];
  private readonly folder: string;

  /** @param from the checkpoint that the run goes on from */
  constructor(folder: string, from: string | null) {
    this.folder = resolve(folder);
    this.kept = from !== null && dirname(resolve(from)) === this.folder ? [resolve(from)] : [];
  }

  /** Writes a checkpoint after so many steps, and then deletes all but it and the one before. @throws FileError */
  async save(steps: number, bytes: Uint8Array): Promise<void> {
    const path = join(this.folder, `checkpoint-${String(steps).padStart(8, '0')}.safetensors`);
    await host.writeFileAtomic(path, bytes);
    const older = this.kept.filter((file) => stepsOf(file) < steps);
    this.kept = [...older.slice(-1), path];
    for (const file of listCheckpoints(this.folder)) {
      if (!this.kept.includes(file)) rmSync(file, { force: true });
    }
  }
}

/**
 * The checkpoint that a run goes on from: a file, or the newest one of a folder. In a folder where a run was killed,
 * those of other runs do not count.
 * @throws FileError, FormatError which names an older one where there is one
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const [file, older] = isFolder ? listCheckpoints(path) : [path];
  if (!file) throw new FileError(`${path}: expected a checkpoint of langevin train, found none`);
  try {
    const checkpoint = await loadCheckpoint(file);
    if (isFolder) requireOwn(path, checkpoint);
    return checkpoint;
  } catch (error) {
    const other = older ?? listCheckpoints(dirname(file)).find((name) => stepsOf(name) < stepsOf(file));
    if (!(error instanceof FormatError) || !other) throw error;
    throw new FormatError(`${error.message}; an older one is there: --resume ${other}`);
  }
}

/** @throws FileError unless the checkpoint is of the run that the folder carries */
function requireOwn(folder: string, checkpoint: Checkpoint): void {
  const left = readRunFile(folder);
  if (!left || left.run === runOf(checkpoint)) return;
  throw new FileError(
    `${folder}: expected a checkpoint of the run that was begun here at ${left.started}, found none, but one of another run: --resume ${checkpoint.source} goes on with that`,
  );
}

/** The folder that a checkpoint lies in. */
export const folderOf = (path: string): string => dirname(path);
