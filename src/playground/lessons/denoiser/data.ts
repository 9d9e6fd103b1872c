/**
 * The pictures that a denoiser on the page learns from, read inside the engine: strokes, MNIST from the page's own
 * origin, or IDX files that a person gives. They stay in memory for the next run.
 */
import { pictureName, type TrainTest, take } from '../../../data/dataset.ts';
import { loadIdxFiles, loadMnist, MNIST_FILES } from '../../../data/mnist.ts';
import { firstStrokes, loadStrokes } from '../../../data/strokes-set.ts';
import { FileError, FormatError, ValueError } from '../../../errors.ts';
import type { PageDataName } from './data-names.ts';

export interface PageDataSettings {
  readonly data: PageDataName;
  /** Only the first pictures: so many to train on, and so many to test on. */
  readonly limit?: number | undefined;
  /** The address of the folder from which `langevin page --data-dir` serves MNIST. */
  readonly mnist?: string | undefined;
  /** The files that a person gave. */
  readonly files?: readonly File[] | undefined;
}

/** The most bytes of a file. Those of MNIST have 47 million. */
const MOST_BYTES = 2 ** 27;
/** The most rows or columns of a picture on the page. */
const MOST_SIDE = 64;

/** The bytes of a file that a person gave. @throws FormatError for a file that is too large, FileError */
export async function readGiven(file: File, most = MOST_BYTES): Promise<Uint8Array<ArrayBuffer>> {
  if (file.size > most) {
    throw new FormatError(`${file.name}: expected at most ${most} bytes on this page, got ${file.size}`);
  }
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new FileError(`cannot read ${file.name}: ${(error as Error).message}`, error);
  }
}

/** @throws FileError, FormatError */
async function fromFiles(files: readonly File[]): Promise<TrainTest> {
  const count = Object.keys(MNIST_FILES).length;
  if (files.length !== count) {
    const got = files.length === 0 ? 'none' : files.map(({ name }) => name).join(', ');
    throw new FileError(
      `your files: expected the ${count} files ${Object.keys(MNIST_FILES).join(', ')}, got ${got.slice(0, 200)}`,
    );
  }
  const bytes = await Promise.all(files.map(async (file) => [file.name, await readGiven(file)] as const));
  const data = await loadIdxFiles(new Map(bytes), 'your files');
  const { height, width } = data.train;
  if (Math.max(height, width) > MOST_SIDE) {
    throw new FormatError(
      `your files: expected pictures of at most ${MOST_SIDE}x${MOST_SIDE} on this page, got ${pictureName(data.train)}`,
    );
  }
  return data;
}

/** @throws FileError, FormatError */
async function fromOrigin(folder: string | undefined): Promise<TrainTest> {
  if (folder === undefined) throw new ValueError('mnist: expected the address of a folder, got none');
  try {
    return await loadMnist({ dataDir: folder });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new FileError(
      'expected the files of MNIST at this page, found none: start it by langevin page --data-dir FOLDER, or choose the data "files" and give the four files',
      error,
    );
  }
}

/** What was read last, and from where. */
let kept: { readonly source: unknown; readonly data: TrainTest } | null = null;

/** The data of a run. @throws FileError, FormatError, ValueError */
export async function pageData({ data, limit, mnist, files = [] }: PageDataSettings): Promise<TrainTest> {
  if (data === 'strokes' && limit !== undefined) return firstStrokes(limit);
  const source = data === 'files' ? files.map(fileKey).join() : data;
  if (kept?.source !== source) {
    const read = { strokes: loadStrokes, mnist: () => fromOrigin(mnist), files: () => fromFiles(files) };
    kept = { source, data: await read[data]() };
  }
  const { train, test } = kept.data;
  return limit === undefined ? { train, test } : { train: take(train, limit), test: take(test, limit) };
}

/** Tells a file from others, also after it was sent to the engine again. */
const fileKey = ({ name, size, lastModified }: File) => `${name}/${size}/${lastModified}`;
