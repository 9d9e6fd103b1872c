/**
 * The checkpoints of a training run: `checkpoint-<steps>.safetensors`. Each write is atomic. The last two checkpoints
 * are kept. If the newest is damaged, the older one can be used, and the error names it.
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

/** @throws FileError */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw fileError(error, `delete ${file}`);
  }
}

/** Writes the checkpoints of one run, and deletes all other checkpoints in the folder. */
export class CheckpointWriter {
  /** The last two checkpoints of this run at most, the older one first. */
  private kept: string[];
  private readonly folder: string;

  /** @param from the checkpoint that the run resumes from; null for a new run */
  constructor(folder: string, from: string | null) {
    this.folder = resolve(folder);
    this.kept = from !== null && dirname(resolve(from)) === this.folder ? [resolve(from)] : [];
  }

  /** Writes a checkpoint, and then deletes all others except the previous one of this run. @throws FileError */
  async save(steps: number, bytes: Uint8Array): Promise<void> {
    const path = join(this.folder, `checkpoint-${String(steps).padStart(8, '0')}.safetensors`);
    await host.writeFileAtomic(path, bytes);
    const older = this.kept.filter((file) => stepsOf(file) < steps);
    this.kept = [...older.slice(-1), path];
    for (const file of listCheckpoints(this.folder).filter((one) => !this.kept.includes(one))) remove(file);
  }
}

/**
 * Reads the checkpoint to resume from: a file, or the newest checkpoint of a folder. If a run was killed in the folder,
 * only a checkpoint of this run is accepted.
 * @throws FileError, FormatError; the message names an older checkpoint if there is one
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
    throw new FormatError(`${error.message}; an older checkpoint exists: --resume ${other}`);
  }
}

/** @throws FileError if the folder's `run.json` is of another run than the checkpoint */
function requireOwn(folder: string, checkpoint: Checkpoint): void {
  const left = readRunFile(folder);
  if (!left || left.run === runOf(checkpoint)) return;
  throw new FileError(
    `${folder}: expected a checkpoint of the run that started here at ${left.started}, found one of another run; --resume ${checkpoint.source} continues that run`,
  );
}

/** The folder of a checkpoint. */
export const folderOf = (path: string): string => dirname(path);
