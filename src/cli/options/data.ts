/** The options that select the data set. All commands that use data share them. */
import { statSync } from 'node:fs';
import { host } from '#host';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { type TrainTest, take } from '../../data/dataset.ts';
import { loadIdxFolder, loadMnist } from '../../data/mnist.ts';
import { firstStrokes } from '../../data/strokes-set.ts';
import { didYouMean, FileError } from '../../errors.ts';
import { DATA_TABLE } from '../../models/settings.ts';
import type { Reporter } from '../report/reporter.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';

const NAMES = ['strokes', 'mnist'] as const;

/** The data set that the options select. It is not loaded yet. */
export interface DataChoice {
  readonly kind: 'strokes' | 'mnist' | 'folder';
  /** `strokes`, `mnist`, or the path of the folder. */
  readonly name: string;
  readonly dataDir: string | undefined;
  readonly limit: number | undefined;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Reads the options of the data. @throws UsageError for an unknown data set or a missing folder */
export function chooseData(options: Options): DataChoice {
  const { data, dataDir, limit } = readSettings(DATA_TABLE, options);
  const named = NAMES.find((name) => name === data.toLowerCase());
  // If there is a folder called MNIST, `--data MNIST` is this folder and not the data set.
  const kind = named === undefined || (named !== data && isFolder(data)) ? 'folder' : named;
  if (kind === 'folder' && !isFolder(data)) {
    throw new UsageError(
      `--data: expected ${NAMES.join(', ')} or a folder with IDX files, got "${data}".${didYouMean(data, NAMES)}`,
    );
  }
  if (dataDir !== undefined && kind !== 'mnist') {
    throw new UsageError(`--data-dir: expected --data mnist with it, got --data ${data}`);
  }
  return { kind, name: kind === 'folder' ? data : kind, dataDir, limit };
}

/** The options of the data in the form that a model's file stores. */
export function dataNotes({ name, dataDir, limit }: DataChoice): Record<string, string | number> {
  return { data: name, ...(dataDir ? { dataDir } : {}), ...(limit ? { limit } : {}) };
}

/** The options of a model's training data, from the model's file. */
export function savedData({ settings }: Checkpoint): Options {
  const notes = (settings?.data ?? {}) as ReturnType<typeof dataNotes>;
  return Object.fromEntries(Object.entries(notes).map(([name, value]) => [name, String(value)]));
}

/** MNIST from --data-dir, else from the folder that LANGEVIN_MNIST names, else from the cache or a download. */
async function mnist(choice: DataChoice, reporter: Reporter): Promise<TrainTest> {
  const dataDir = choice.dataDir ?? (host.environment('LANGEVIN_MNIST') || undefined);
  try {
    return await loadMnist({
      dataDir,
      progress: (progress) => reporter.event({ type: 'download', ...progress }),
      warn: (message) => reporter.event({ type: 'warning', message }),
    });
  } catch (error) {
    if (dataDir !== undefined || !(error instanceof FileError)) throw error;
    const { message } = error.cause instanceof FileError ? error.cause : error;
    throw new FileError(`${message}; set --data-dir or LANGEVIN_MNIST to a folder with the files`, error);
  }
}

/** Loads the data set: reads it, downloads it, or draws its digits. @throws FileError, FormatError */
export async function loadData(choice: DataChoice, reporter: Reporter): Promise<TrainTest> {
  const most = choice.limit ?? Infinity;
  if (choice.kind === 'strokes') return firstStrokes(most);
  const { train, test } =
    choice.kind === 'mnist' ? await mnist(choice, reporter) : await loadIdxFolder(choice.name);
  return most === Infinity ? { train, test } : { train: take(train, most), test: take(test, most) };
}
