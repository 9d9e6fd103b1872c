/**
 * MNIST (Y. LeCun, C. Cortes, C. Burges), and data sets in the same four IDX files (Fashion-MNIST, KMNIST). They have
 * 60,000 training and 10,000 test pictures of 28x28 pixels, where 0 is background.
 *
 * The bytes of MNIST are compared with known hashes before use, for a folder and for a download. A folder of other IDX
 * files is only checked for the format.
 */
import { host } from '#host';
import { FileError, FormatError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { gunzip, isGzip, sha256 } from './bytes.ts';
import { createDataset, type Dataset, type TrainTest } from './dataset.ts';
import { type DownloadOptions, downloadFromMirrors } from './download.ts';
import { decodeIdx } from './idx.ts';

/** SHA-256 of each file after decompression. gzip can pack the same bytes in different ways. */
export const MNIST_FILES: Readonly<Record<string, string>> = {
  'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  't10k-images-idx3-ubyte': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  't10k-labels-idx1-ubyte': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
};

/** The URLs of folders with the gzipped files. */
export const MNIST_MIRRORS: readonly string[] = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
];

/** Options of `loadMnist`. */
export interface MnistOptions extends DownloadOptions {
  /** A folder (in a page: a URL) with the four files, gzipped or not. If given, nothing is downloaded. */
  readonly dataDir?: string | undefined;
  /** The folder for downloads. Default: `mnist` in the host's cache folder. */
  readonly cacheDir?: string | undefined;
  /**
   * The servers to download from, as URLs that end in `/`. They are tried in this order. Default: two mirrors of MNIST.
   */
  readonly mirrors?: readonly string[] | undefined;
  /** The expected hashes. Default: those of MNIST. */
  readonly hashes?: Readonly<Record<string, string>> | undefined;
  /** Called for a problem that does not stop the load: a damaged cache, or one that cannot be written. */
  readonly warn?: ((message: string) => void) | undefined;
}

interface Found {
  /** The origin of the bytes, for errors. */
  readonly source: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The names that a file may have: with `.idx` in place of `-idx`, and with `.gz` at the end. */
export const idxFileNames = (file: string): string[] =>
  [file, file.replace('-idx', '.idx')].flatMap((name) => [name, `${name}.gz`]);

/** The file named `file` in `folder`. */
async function find(folder: string, file: string): Promise<Found | undefined> {
  for (const name of idxFileNames(file)) {
    const source = `${folder}/${name}`;
    if (await host.exists(source))
      return { source, bytes: await gunzip(await host.readFile(source), source) };
  }
  return undefined;
}

const noSuchFile = (place: string, file: string) =>
  new FileError(`${place}: expected ${file} (or .idx for -idx, gzipped or not), found no such file`);

async function findOrThrow(folder: string, file: string): Promise<Found> {
  const found = await find(folder, file);
  if (found) return found;
  throw noSuchFile(folder, file);
}

/** Makes the two data sets from four files. `read` reads a file. */
async function assemble(name: string, read: (file: string) => Promise<Found>): Promise<TrainTest> {
  const part = async (prefix: string) => {
    const files = [await read(`${prefix}-images-idx3-ubyte`), await read(`${prefix}-labels-idx1-ubyte`)];
    const images = decodeIdx(files[0].bytes, 3, files[0].source);
    const labels = decodeIdx(files[1].bytes, 1, files[1].source);
    const [count, height, width] = images.shape;
    if (count * height * width === 0) {
      throw new FormatError(`${files[0].source}: expected pictures, got the shape [${images.shape}]`);
    }
    if (labels.shape[0] !== count) {
      throw new FormatError(
        `${files[1].source}: expected a label for each of ${count} pictures, got ${labels.shape[0]}`,
      );
    }
    return { source: files[0].source, height, width, images: images.data, labels: labels.data };
  };
  const [train, test] = [await part('train'), await part('t10k')];
  if (train.height !== test.height || train.width !== test.width) {
    const expected = `${train.height}x${train.width} as in training`;
    throw new FormatError(`${test.source}: expected ${expected}, got ${test.height}x${test.width}`);
  }
  const extreme = (of: (a: number, b: number) => number, first: number) =>
    [train, test].reduce((most, { labels }) => labels.reduce((a, b) => of(a, b), most), first);
  const highest = extreme(Math.max, 0);
  // The letters of EMNIST have the labels 1 to 26. Fewer than ten classes may be digits without a zero.
  const first = highest > 9 && extreme(Math.min, 255) === 1 ? 1 : 0;
  const classes = Math.max(10, highest + 1 - first);
  const dataset = (suffix: string, { labels, ...set }: typeof train): Dataset => {
    const own = first === 0 ? labels : labels.map((label) => label - first);
    return createDataset({ ...set, labels: own, name: `${name} ${suffix}`, classes });
  };
  return { train: dataset('train', train), test: dataset('test', test) };
}

/**
 * A data set from the four IDX files in `folder`: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same
 * names with `t10k-` for the test set. A name may have `.idx` in place of `-idx`, and end in `.gz`. The number of
 * classes is the highest label plus 1, and at least 10. Labels from 1 to more than 9 count from 0.
 * @param name the name of the data set; default: the folder's name
 * @param prefix the beginning of the files' names, such as `emnist-letters-`. With it the test set is `test-`, as in
 *   EMNIST.
 * @throws FileError for a missing or unreadable file
 * @throws FormatError for a damaged file, or files that do not belong together
 */
export function loadIdxFolder(folder: string, name?: string, prefix = ''): Promise<TrainTest> {
  const own = folder.split(/[\\/]/).filter(Boolean).at(-1) ?? folder;
  const named = (file: string) => (prefix === '' ? file : prefix + file.replace(/^t10k-/, 'test-'));
  return assemble(name ?? own, (file) => findOrThrow(folder, named(file)));
}

/**
 * A data set from the four IDX files in memory, by their names. The names are those of `loadIdxFolder`.
 * @param name the name of the data set
 * @throws FileError for a missing file
 * @throws FormatError for a damaged file, or files that do not belong together
 */
export function loadIdxFiles(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  name: string,
): Promise<TrainTest> {
  return assemble(name, async (file) => {
    const source = idxFileNames(file).find((one) => files.has(one));
    if (source === undefined) throw noSuchFile(name, file);
    return { source, bytes: await gunzip(files.get(source)!, source) };
  });
}

async function requireHash(
  found: Found,
  file: string,
  hashes: Readonly<Record<string, string>>,
): Promise<Found> {
  const got = await sha256(found.bytes);
  if (got === hashes[file]) return found;
  throw new FormatError(`${found.source}: expected SHA-256 ${hashes[file]} of MNIST's ${file}, got ${got}`);
}

async function cachedOrDownloaded(file: string, options: MnistOptions): Promise<Found> {
  const { mirrors = MNIST_MIRRORS, hashes = MNIST_FILES, warn } = options;
  const shared = host.cacheDir();
  const cacheDir = options.cacheDir ?? (shared && `${shared}/mnist`);
  if (cacheDir) {
    try {
      const found = await find(cacheDir, file);
      if (found) return await requireHash(found, file, hashes);
    } catch (error) {
      warn?.(`downloading again: ${(error as Error).message}`);
    }
  }
  const { packed, found } = await downloadFromMirrors(
    `${file}.gz`,
    mirrors,
    async (packed, source) => {
      const bytes = await gunzip(packed, source);
      return { packed, found: await requireHash({ source, bytes }, file, hashes) };
    },
    options,
  );
  if (cacheDir) {
    try {
      // fetch has unpacked the file already if the server declared the gzip as a transfer encoding
      await host.writeFileAtomic(`${cacheDir}/${file}${isGzip(packed) ? '.gz' : ''}`, packed);
    } catch (error) {
      warn?.(`the download is not kept: ${(error as Error).message}`);
    }
  }
  return found;
}

/**
 * MNIST. Each file is read from `dataDir` if given, else from the cache folder, else it is downloaded and kept in the
 * cache. The SHA-256 of each file is checked first.
 * @throws FileError for a missing file, or if no mirror delivers it
 * @throws FormatError for a file in `dataDir` that is not MNIST's
 */
export function loadMnist(options: MnistOptions = {}): Promise<TrainTest> {
  const { dataDir, hashes } = withDefaults('loadMnist', options, {
    dataDir: undefined,
    cacheDir: undefined,
    mirrors: MNIST_MIRRORS,
    hashes: MNIST_FILES,
    warn: undefined,
    progress: undefined,
    patience: undefined,
  });
  return assemble('mnist', async (file) => {
    if (dataDir) return requireHash(await findOrThrow(dataDir, file), file, hashes);
    try {
      return await cachedOrDownloaded(file, options);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new FileError(
        `${error.message}; if you have the files, set dataDir to their folder (in a page: its URL)`,
        error,
      );
    }
  });
}
