/** Which pictures: the options that every command that trains or tests shares. */
import { statSync } from 'node:fs';
import type { Command } from 'cac';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { type TrainTest, take } from '../../data/dataset.ts';
import { loadIdxFolder, loadMnist } from '../../data/mnist.ts';
import { loadStrokes, STROKES_COUNTS } from '../../data/strokes-set.ts';
import { didYouMean } from '../../errors.ts';
import type { Reporter } from '../report/reporter.ts';
import { count, type Options, text, UsageError } from './arguments.ts';

const NAMES = ['strokes', 'mnist'];

/** What the options say of the data; nothing is read yet. */
export interface DataChoice {
  readonly kind: 'strokes' | 'mnist' | 'folder';
  /** `strokes`, `mnist`, or the folder as it was given. */
  readonly name: string;
  readonly dataDir: string | undefined;
  readonly limit: number | undefined;
}

/** Declares the options on a command. @param otherwise what is taken where none is named */
export function addDataOptions(command: Command, otherwise = 'strokes'): Command {
  return command
    .option(
      '--data <name>',
      `strokes (drawn, no download), mnist, or a folder with IDX files (default: ${otherwise})`,
    )
    .option(
      '--data-dir <folder>',
      'Where the four files of MNIST are, in place of the cache and the download',
    )
    .option('--limit <n>', 'Use only the first n pictures to train on, and n to test on');
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** @throws UsageError for an unknown data set or a folder that is not there */
export function chooseData(options: Options): DataChoice {
  const name = text(options, 'data', 'strokes');
  const dataDir = text(options, 'dataDir', undefined);
  const most = count(options, 'limit', undefined);
  const kind = NAMES.includes(name) ? (name as 'strokes' | 'mnist') : 'folder';
  if (kind === 'folder' && !isFolder(name)) {
    throw new UsageError(
      `--data: expected ${NAMES.join(', ')} or a folder with IDX files, got "${name}".${didYouMean(name, NAMES)}`,
    );
  }
  if (dataDir !== undefined && kind !== 'mnist') {
    throw new UsageError(`--data-dir belongs to --data mnist, got --data ${name}`);
  }
  return { kind, name, dataDir, limit: most };
}

/** The options that chose the data, as a model's file keeps them. */
export function dataNotes({ name, dataDir, limit }: DataChoice): Record<string, string | number> {
  return { data: name, ...(dataDir ? { dataDir } : {}), ...(limit ? { limit } : {}) };
}

/** The options that chose the data of a model, from its file. */
export function savedData({ settings }: Checkpoint): Options {
  const notes = (settings?.data ?? {}) as ReturnType<typeof dataNotes>;
  return Object.fromEntries(Object.entries(notes).map(([name, value]) => [name, String(value)]));
}

/** Reads, downloads or draws the data. @throws FileError, FormatError */
export async function loadData(choice: DataChoice, reporter: Reporter): Promise<TrainTest> {
  const most = choice.limit ?? Infinity;
  if (choice.kind === 'strokes') {
    return loadStrokes({
      train: Math.min(STROKES_COUNTS.train, most),
      test: Math.min(STROKES_COUNTS.test, most),
    });
  }
  const { train, test } =
    choice.kind === 'mnist'
      ? await loadMnist({
          dataDir: choice.dataDir,
          progress: (progress) => reporter.event({ type: 'download', ...progress }),
          warn: (message) => reporter.event({ type: 'warning', message }),
        })
      : await loadIdxFolder(choice.name);
  return most === Infinity ? { train, test } : { train: take(train, most), test: take(test, most) };
}
