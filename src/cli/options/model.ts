/**
 * Finds the file of `--model`. The option names a file, a folder of results, or a published model. The published models
 * lie beside the program. A file or folder has priority over a published model of the same name.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Checkpoint, loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import { didYouMean, FileError } from '../../errors.ts';
import { SAMPLING_TABLE } from '../../models/settings.ts';
import { PROGRAM } from './program.ts';

const ENDING = '.safetensors';
/** The model's file in a folder of results. */
const FILE = `model${ENDING}`;

/** A model's file: its path, its name, and its contents. */
export interface ModelFile {
  /** The path, or the name of a published model. */
  readonly path: string;
  /** The name of the file, without its folder and ending. */
  readonly name: string;
  /** The default folder for the results. */
  readonly folder: string;
  readonly checkpoint: Checkpoint;
}

/** The folder of the published models. build.js puts it beside the program. */
const PUBLISHED = fileURLToPath(new URL('./published/', import.meta.url));

/** The names of the published models. */
export function publishedNames(): string[] {
  const there = statSync(PUBLISHED, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const files = there ? readdirSync(PUBLISHED) : [];
  return files.filter((file) => file.endsWith(ENDING)).map((file) => basename(file, ENDING));
}

/** Reads the model's file. @param given the value of `--model` @throws FileError, FormatError */
export async function readModelFile(given: string): Promise<ModelFile> {
  const found = statSync(given, { throwIfNoEntry: false });
  const names = found ? [] : publishedNames();
  if (names.includes(given)) {
    const checkpoint = await loadCheckpoint(join(PUBLISHED, given + ENDING));
    return { path: given, name: given, folder: join('out', given), checkpoint };
  }
  const isFolder = found?.isDirectory() || given === SAMPLING_TABLE.model.default;
  const path = isFolder ? join(given, FILE) : given;
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw missing(given, path, names);
  return {
    path,
    name: basename(path, ENDING),
    folder: dirname(path),
    checkpoint: await loadCheckpoint(path),
  };
}

/** The error for a model that cannot be found. */
function missing(given: string, path: string, names: readonly string[]): FileError {
  const near = didYouMean(given, names);
  if (near) return new FileError(`cannot read ${path}: no such file, folder or published model.${near}`);
  const others = names.length > 0 ? `: a file, a folder, ${names.join(', ')}` : '';
  const advice = `train a model with "${PROGRAM} train diffusion", or select one with --model${others}`;
  return new FileError(`cannot read ${path}: no such file or folder; ${advice}`);
}
