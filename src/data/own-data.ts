/**
 * Your own pictures, by their path: a folder with four IDX files (mnist.ts), a folder of PNG pictures
 * (picture-folder.ts), or an NPY or NPZ file (picture-arrays.ts).
 */
import { host } from '#host';
import { FormatError } from '../errors.ts';
import { pictureSize } from './dataset.ts';
import { idxFileNames, loadIdxFolder } from './mnist.ts';
import { type OwnPictures, type OwnPicturesOptions, PictureCollector } from './own-pictures.ts';
import { isArrayFile, loadPictureArrays } from './picture-arrays.ts';
import { folderName, loadPictureFolder } from './picture-folder.ts';

const IDX_NAMES = idxFileNames('train-images-idx3-ubyte');

/**
 * The beginnings of the names of IDX files in a folder: '' for `train-images-idx3-ubyte`, and `emnist-letters-` for
 * `emnist-letters-train-images-idx3-ubyte`.
 */
const prefixesIn = (names: readonly string[]): string[] => [
  ...new Set(
    names.flatMap((name) => {
      const ending = IDX_NAMES.find((one) => name.endsWith(one));
      return ending === undefined ? [] : [name.slice(0, name.length - ending.length)];
    }),
  ),
];

/** IDX files as own pictures. They have a test set, and only `size` can change them. */
async function loadIdx(folder: string, prefix: string, options: OwnPicturesOptions): Promise<OwnPictures> {
  const found = await loadIdxFolder(folder, undefined, prefix);
  const collector = new PictureCollector(folderName(folder), options);
  const classNames = Array.from({ length: found.train.classes }, (_, label) => String(label));
  const { height, width } = found.train;
  if (options.size === undefined && options.testShare === undefined) {
    const sizes = new Map([[`${height}x${width}`, found.train.length + found.test.length]]);
    return { ...found, classNames, sizes };
  }
  for (const part of ['train', 'test'] as const) {
    const { length, images, labels } = found[part];
    const size = pictureSize(found.train);
    for (let i = 0; i < length; i++) {
      const pixels = images.subarray(i * size, (i + 1) * size);
      collector.add({ height, width, channels: 1, pixels }, classNames[labels[i]], part);
    }
  }
  return collector.finish(classNames);
}

/**
 * Loads a data set of your own pictures.
 * @param path a folder with the four IDX files, a folder of PNG pictures with a subfolder for each class or none, or an
 *   NPY or NPZ file
 * @throws FileError for a folder that cannot be read or has no pictures
 * @throws FormatError for damaged files, several sets of IDX files, or too few or too many pictures
 * @throws ValueError for options out of range
 */
export async function loadOwnPictures(path: string, options: OwnPicturesOptions = {}): Promise<OwnPictures> {
  if (isArrayFile(path) && (await host.exists(path))) return loadPictureArrays(path, options);
  const prefixes = prefixesIn((await host.list(path)).map(({ name }) => name));
  if (prefixes.includes('')) return loadIdx(path, '', options);
  if (prefixes.length > 1) {
    const got = prefixes.map((prefix) => `${prefix}train`).join(', ');
    throw new FormatError(`${path}: expected one set of IDX files, got ${got}; give each its own folder`);
  }
  return prefixes.length === 1 ? loadIdx(path, prefixes[0], options) : loadPictureFolder(path, options);
}
