/**
 * Pictures in NumPy files as a data set: uint8 `[n, height, width]` or `[n, height, width, channels]` with 1, 3 or 4
 * channels, and whole numbers as labels, `[n]` or `[n, 1]`.
 *
 *     s.npy     the pictures; the labels are in s.labels.npy beside it, as `langevin sample --save s.npy` writes them
 *     s.npz     the arrays by one of these names, as Keras, MedMNIST and `np.savez` write them:
 *                   x_train, y_train, x_test, y_test
 *                   train_images, train_labels, test_images, test_labels
 *                   images, labels      x, y      arr_0, arr_1
 *
 * Labels may be missing: then there is one class. The number of classes is the highest label plus 1. Other arrays of an
 * NPZ file are not inflated. An array may inflate to 2^30 bytes at most, and to what its compressed size allows. Left out on
 * purpose: the check sums of the ZIP file, float pictures, and arrays of objects, which are pickles.
 */
import { unzipSync } from 'fflate';
import { host } from '#host';
import { FormatError } from '../errors.ts';
import { decodeNpy, type NpyArray } from './npy.ts';
import { type OwnPictures, type OwnPicturesOptions, type Part, PictureCollector } from './own-pictures.ts';
import { folderName } from './picture-folder.ts';

/** The most bytes of one array. */
const MOST_ARRAY = 2 ** 30;
/** A byte that is compressed by DEFLATE becomes at most so many bytes. */
const MOST_GROWTH = 1032;
const HIGHEST_LABEL = 255;

/** The arrays of one part: the name of the pictures, and that of the labels. */
type Names = readonly [images: string, labels: string];

/** The names of arrays in an NPZ file. A layout with two entries has a test set. */
const LAYOUTS: readonly (readonly Names[])[] = [
  [
    ['x_train', 'y_train'],
    ['x_test', 'y_test'],
  ],
  [
    ['train_images', 'train_labels'],
    ['test_images', 'test_labels'],
  ],
  [['images', 'labels']],
  [['x', 'y']],
  [['arr_0', 'arr_1']],
];

/** Pictures, and their labels if there are any. `source` names the file in errors. */
interface Arrays {
  readonly source: string;
  readonly images: NpyArray;
  readonly labels: NpyArray | null;
  readonly part: Part;
}

/** Whether the path is that of an array file, by its ending. */
export const isArrayFile = (path: string): boolean => /\.np[yz]$/i.test(path);

/** The file of the labels beside a file of pictures: `s.labels.npy` for `s.npy`. */
export const labelsFileName = (path: string): string => path.replace(/\.npy$/i, '.labels.npy');

/** The arrays of an NPY file and of the file of labels beside it. */
async function readNpy(path: string): Promise<Arrays[]> {
  const beside = labelsFileName(path);
  const images = decodeNpy(await host.readFile(path), path);
  const labels = (await host.exists(beside)) ? decodeNpy(await host.readFile(beside), beside) : null;
  return [{ source: path, images, labels, part: null }];
}

/** Unpacks some arrays of an NPZ file, by their names without `.npy`. @param wanted which ones; null lists the names */
function unpack(bytes: Uint8Array, source: string, wanted: readonly string[] | null) {
  const names: string[] = [];
  try {
    const files = unzipSync(bytes, {
      filter({ name, size, originalSize }) {
        const own = name.replace(/\.npy$/, '');
        names.push(own);
        if (!wanted?.includes(own)) return false;
        const most = Math.min(MOST_ARRAY, MOST_GROWTH * size);
        if (originalSize <= most) return true;
        throw new FormatError(
          `${source}: ${own}: expected an array of at most ${most} bytes, got ${originalSize}`,
        );
      },
    });
    return { names, files };
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`${source}: expected a whole NPZ file, got: ${(error as Error).message}`);
  }
}

/**
 * The arrays of an NPZ file in the first layout that it has.
 * @param path names the file in errors
 * @throws FormatError for a file without pictures, or a damaged one
 */
export function arraysInNpz(bytes: Uint8Array, path: string): Arrays[] {
  const { names } = unpack(bytes, path, null);
  const layout = LAYOUTS.find((parts) => parts.every(([images]) => names.includes(images)));
  if (!layout) {
    const known = LAYOUTS.map((parts) => parts.map(([images]) => images).join(' and ')).join(', or ');
    const got =
      names.length === 0 ? 'none' : names.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 40)));
    throw new FormatError(`${path}: expected an array of pictures named ${known}, got ${got}`);
  }
  const { files } = unpack(bytes, path, layout.flat());
  const arrayOf = (name: string) => {
    const found = files[`${name}.npy`] ?? files[name];
    return found ? decodeNpy(new Uint8Array(found), `${path}: ${name}`) : null;
  };
  return layout.map(([images, labels], i) => ({
    source: `${path}: ${images}`,
    images: arrayOf(images)!,
    labels: arrayOf(labels),
    part: layout.length === 1 ? null : i === 0 ? 'train' : 'test',
  }));
}

/** @throws FormatError unless the labels are whole numbers from 0 to 255, one for each picture */
function labelsOf({ source, images, labels }: Arrays): Uint8Array {
  const [count] = images.shape;
  if (labels === null) return new Uint8Array(count);
  const { shape, values } = labels;
  const fits = shape[0] === count && values.length === count;
  if (!fits) {
    throw new FormatError(`${source}: expected ${count} labels, one per picture, got [${shape.join(', ')}]`);
  }
  const isLabel = (value: number) => Number.isInteger(value) && value >= 0 && value <= HIGHEST_LABEL;
  const wrong = Array.from(values).findIndex((value) => !isLabel(value));
  if (wrong >= 0) {
    throw new FormatError(
      `${source}: expected labels from 0 to ${HIGHEST_LABEL}, got ${values[wrong]} at ${wrong}`,
    );
  }
  return Uint8Array.from(values);
}

/** The sizes of the pictures. @throws FormatError unless they are uint8 with 3 or 4 axes */
function shapeOf({ source, images }: Arrays) {
  const { type, shape } = images;
  if (type !== 'uint8') throw new FormatError(`${source}: expected pictures of uint8, 0 to 255, got ${type}`);
  const [, height = 0, width = 0, channels = 1] = shape;
  const isPictures = (shape.length === 3 || shape.length === 4) && [1, 3, 4].includes(channels);
  if (!isPictures || images.values.length === 0) {
    const expected = '[n, height, width] or [n, height, width, 1, 3 or 4]';
    throw new FormatError(`${source}: expected pictures ${expected}, got [${shape.join(', ')}]`);
  }
  return { height, width, channels: channels as 1 | 3 | 4 };
}

/**
 * A data set of the pictures in an NPY or NPZ file.
 * @throws FileError for a file that cannot be read
 * @throws FormatError for arrays of another kind or shape, or for too few or too many pictures
 * @throws ValueError for options out of range
 */
export async function loadPictureArrays(
  path: string,
  options: OwnPicturesOptions = {},
): Promise<OwnPictures> {
  const collector = new PictureCollector(folderName(path).replace(/\.np[yz]$/i, ''), options);
  const parts = /\.npz$/i.test(path) ? arraysInNpz(await host.readFile(path), path) : await readNpy(path);
  let highest = 0;
  for (const arrays of parts) {
    const shape = shapeOf(arrays);
    const size = shape.height * shape.width * shape.channels;
    const pixels = arrays.images.values as Uint8Array;
    for (const [i, label] of labelsOf(arrays).entries()) {
      highest = Math.max(highest, label);
      const picture = { ...shape, pixels: pixels.subarray(i * size, (i + 1) * size) };
      collector.add(picture, String(label), arrays.part);
    }
  }
  return collector.finish(Array.from({ length: highest + 1 }, (_, label) => String(label)));
}
