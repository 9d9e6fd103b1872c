/**
 * Reads saved pictures from an NPY file: uint8 [n, height, width] or [n, height, width, channels]. The command
 * `langevin sample --save` writes such files. A second file beside it has a label for each picture: `s.labels.npy` for
 * `s.npy`. The labels are whole numbers of any NumPy type.
 */
import { extname } from 'node:path';
import { host } from '#host';
import { type Dataset, type PictureShape, pictureName } from '../../data/dataset.ts';
import { decodeNpy } from '../../data/npy.ts';
import { labelsFileName } from '../../data/picture-arrays.ts';
import { FileError, FormatError } from '../../errors.ts';
import { type JudgedPictures, takeJudged } from '../../models/evaluation/judged.ts';
import { UsageError } from './arguments.ts';

/** The least number of pictures that can be judged. */
const LEAST = 100;

/** The pictures and labels of the files. They have not been compared with a data set yet. */
export interface SampleFile extends PictureShape {
  readonly path: string;
  readonly count: number;
  /** [count, height, width, channels] */
  readonly images: Uint8Array;
  readonly labels: readonly number[];
}

/** Reads the pictures and their labels. @throws UsageError, FileError, FormatError */
export async function readSampleFile(path: string): Promise<SampleFile> {
  if (extname(path) !== '.npy') throw new UsageError(`--samples: expected a .npy file, got "${path}"`);
  const { type, shape, values } = decodeNpy(await host.readFile(path), path);
  if (!(values instanceof Uint8Array)) {
    throw new FormatError(`${path}: expected pictures of uint8, 0 to 255, got ${type}`);
  }
  if (shape.length !== 3 && shape.length !== 4) {
    throw new FormatError(`${path}: expected pictures [n, height, width], got [${shape.join(', ')}]`);
  }
  const [count, height, width, channels = 1] = shape;
  if (count < LEAST) {
    throw new UsageError(`--samples: expected at least ${LEAST} pictures in ${path}, got ${count}`);
  }
  return { path, count, height, width, channels, images: values, labels: await readLabels(path, count) };
}

/** The labels, one for each picture. */
async function readLabels(pictures: string, count: number): Promise<readonly number[]> {
  const path = labelsFileName(pictures);
  if (!(await host.exists(path))) {
    throw new FileError(
      `cannot read ${path}: no such file; expected a label for each picture of ${pictures}`,
    );
  }
  const { shape, values } = decodeNpy(await host.readFile(path), path);
  if (shape.length !== 1 || shape[0] !== count) {
    throw new FormatError(`${path}: expected ${count} labels, one per picture, got [${shape.join(', ')}]`);
  }
  return Array.from(values);
}

/**
 * The first `count` pictures, or all, after a check that they fit the data set.
 * @throws UsageError for pictures of another size, or for fewer than `count`
 * @throws FormatError for labels that are no classes of the data set
 */
export function fitSamples(
  file: SampleFile,
  { train }: { readonly train: Dataset },
  count?: number,
): JudgedPictures {
  const { path, height, width, channels, images, labels } = file;
  const [expected, got] = [train, file].map(pictureName);
  if (got !== expected) {
    throw new UsageError(`--samples: expected pictures of ${expected}, as in ${train.name}, got ${got}`);
  }
  if (count !== undefined && count > file.count) {
    throw new UsageError(`--count: expected at most the ${file.count} pictures of ${path}, got ${count}`);
  }
  const wrong = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label >= train.classes);
  if (wrong >= 0) {
    throw new FormatError(
      `${labelsFileName(path)}: expected labels from 0 to ${train.classes - 1}, got ${labels[wrong]} at ${wrong}`,
    );
  }
  return takeJudged({ height, width, channels, images, labels }, count ?? file.count);
}
