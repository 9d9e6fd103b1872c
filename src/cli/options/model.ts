/**
 * Finds the file of `--model`. The option names a file, a folder of results, or a published model. The published models
 * lie beside the program. A file or folder has priority over a published model of the same name.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { host } from '#host';
import { type Checkpoint, loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import { didYouMean, FileError } from '../../errors.ts';
import { type ModelCard, readCard } from '../../models/card.ts';
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

/** The file of the published model of that name. */
export const publishedFile = (name: string): string => join(PUBLISHED, name + ENDING);

/** The cards of the published models, which lie beside their files. @throws FileError, FormatError */
export function publishedCards(): Promise<ModelCard[]> {
  const read = async (name: string) => {
    const file = join(PUBLISHED, `${name}.md`);
    return readCard(new TextDecoder().decode(await host.readFile(file)), file);
  };
  return Promise.all(publishedNames().map(read));
}

/**
 * Finds the file that a word stands for: a file, a folder of results, or the name of a published model.
 * @throws FileError if there is no such file
 */
export function findModel(given: string): { readonly file: string; readonly published: boolean } {
  const found = statSync(given, { throwIfNoEntry: false });
  const names = found ? [] : publishedNames();
  if (names.includes(given)) return { file: publishedFile(given), published: true };
  const isFolder = found?.isDirectory() || given === SAMPLING_TABLE.model.default;
  const file = isFolder ? join(given, FILE) : given;
  if (statSync(file, { throwIfNoEntry: false }) === undefined) throw missing(given, file, names);
  return { file, published: false };
}

/** Reads the model's file. @param given the value of `--model` @throws FileError, FormatError */
export async function readModelFile(given: string): Promise<ModelFile> {
  const { file, published } = findModel(given);
  return {
    path: published ? given : file,
    name: basename(file, ENDING),
    folder: published ? join('out', given) : dirname(file),
    checkpoint: await loadCheckpoint(file),
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
