/**
 * Your own pictures, by their path: a folder with four IDX files (mnist.ts), or a folder of PNG pictures
 * (picture-folder.ts).
 */
import { host } from '#host';
import { pictureSize } from './dataset.ts';
import { idxFileNames, loadIdxFolder } from './mnist.ts';
import { type OwnPictures, type OwnPicturesOptions, PictureCollector } from './own-pictures.ts';
import { folderName, loadPictureFolder } from './picture-folder.ts';

const IDX_NAMES = idxFileNames('train-images-idx3-ubyte');

/** IDX files as own pictures. They have a test set, and only `size` can change them. */
async function loadIdx(folder: string, options: OwnPicturesOptions): Promise<OwnPictures> {
  const found = await loadIdxFolder(folder);
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
 * @param path a folder with the four IDX files, or a folder of PNG pictures, with a subfolder for each class or none
 * @throws FileError for a folder that cannot be read or has no pictures
 * @throws FormatError for damaged IDX files, or for too few or too many pictures
 * @throws ValueError for options out of range
 */
export async function loadOwnPictures(path: string, options: OwnPicturesOptions = {}): Promise<OwnPictures> {
  const names = (await host.list(path)).map(({ name }) => name);
  const isIdx = names.some((name) => IDX_NAMES.includes(name));
  return isIdx ? loadIdx(path, options) : loadPictureFolder(path, options);
}
