/** The options that select the data set. All commands that use data share them. */
import { statSync } from 'node:fs';
import { host } from '#host';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { type TrainTest, take } from '../../data/dataset.ts';
import { loadMnist } from '../../data/mnist.ts';
import { loadOwnPictures } from '../../data/own-data.ts';
import type { OwnPictures, OwnPicturesOptions } from '../../data/own-pictures.ts';
import { isArrayFile } from '../../data/picture-arrays.ts';
import { firstStrokes } from '../../data/strokes-set.ts';
import { didYouMean, FileError } from '../../errors.ts';
import { nameOf } from '../../models/setting.ts';
import { DATA_TABLE } from '../../models/settings.ts';
import type { Reporter } from '../report/reporter.ts';
import { asUsage, type Options, readSettings, UsageError } from './arguments.ts';

const NAMES = ['strokes', 'mnist'] as const;
/** The options that only own pictures have. */
const OWN = ['size', 'colour', 'testShare'] as const;

/** The data set that the options select. It is not loaded yet. */
export interface DataChoice {
  readonly kind: 'strokes' | 'mnist' | 'folder';
  /** `strokes`, `mnist`, or the path of own pictures: a folder, or a file of arrays. */
  readonly name: string;
  readonly dataDir: string | undefined;
  readonly limit: number | undefined;
  readonly own: Pick<OwnPicturesOptions, (typeof OWN)[number]>;
}

/** Whether the path is a folder, or a file of arrays. */
function isOwn(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.isDirectory() || (found.isFile() && isArrayFile(path)));
}

/**
 * Reads the options of the data.
 * @param what the name of the option or argument in errors
 * @throws UsageError for an unknown data set, a missing folder, or options that do not fit the data set
 */
export function chooseData(options: Options, what = '--data'): DataChoice {
  const { data, dataDir, limit, ...own } = readSettings(DATA_TABLE, options);
  const named = NAMES.find((name) => name === data.toLowerCase());
  // If there is a folder called MNIST, `--data MNIST` is this folder and not the data set.
  const kind = named === undefined || (named !== data && isOwn(data)) ? 'folder' : named;
  if (kind === 'folder' && !isOwn(data)) {
    throw new UsageError(
      `${what}: expected ${NAMES.join(', ')} or a folder of PNG or IDX files or an .npy or .npz file, got "${data}".${didYouMean(data, NAMES)}`,
    );
  }
  if (dataDir !== undefined && kind !== 'mnist') {
    throw new UsageError(`--data-dir: expected --data mnist with it, got --data ${data}`);
  }
  const wrong = OWN.find((name) => own[name] !== undefined);
  if (wrong && kind !== 'folder') {
    throw new UsageError(`${nameOf(DATA_TABLE[wrong])}: expected your own pictures with it, got ${data}`);
  }
  return { kind, name: kind === 'folder' ? data : kind, dataDir, limit, own };
}

/** The options of the data in the form that a model's file stores. */
export function dataNotes({ name, dataDir, limit, own }: DataChoice): Record<string, string | number> {
  const given = Object.entries({ dataDir, limit, ...own }).filter(([, value]) => value !== undefined);
  return { data: name, ...Object.fromEntries(given) };
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

/** Loads a folder of own pictures. @throws FileError, FormatError; UsageError for options that do not fit it */
export async function loadOwn({ name, own }: DataChoice, reporter: Reporter): Promise<OwnPictures> {
  const warn = (message: string) => reporter.event({ type: 'warning', message });
  try {
    return await loadOwnPictures(name, { ...own, warn });
  } catch (error) {
    return asUsage(() => {
      throw error;
    });
  }
}

/** Loads the data set: reads it, downloads it, or draws its digits. @throws FileError, FormatError */
export async function loadData(choice: DataChoice, reporter: Reporter): Promise<TrainTest> {
  const most = choice.limit ?? Infinity;
  if (choice.kind === 'strokes') return firstStrokes(most);
  const { train, test } =
    choice.kind === 'mnist' ? await mnist(choice, reporter) : await loadOwn(choice, reporter);
  return most === Infinity ? { train, test } : { train: take(train, most), test: take(test, most) };
}
