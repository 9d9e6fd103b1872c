/**
 * Pictures that were saved: uint8 [n, height, width] or [n, height, width, channels] in an NPY file, as
 * `langevin sample --save` writes it, and a label for each in the file beside it, `s.labels.npy` for `s.npy`. The labels
 * are whole numbers of any type that NumPy has for them.
 */
import { extname } from 'node:path';
import { host } from '#host';
import { type Dataset, type PictureShape, pictureName } from '../../data/dataset.ts';
import { decodeNpy } from '../../data/npy.ts';
import { FileError, FormatError } from '../../errors.ts';
import { type JudgedPictures, takeJudged } from '../../models/evaluation/judged.ts';
import { labelsFileName } from '../results/sample-files.ts';
import { UsageError } from './arguments.ts';

/** Pictures that can be judged, at least. */
const LEAST = 100;

/** Pictures as their files have them; nothing is known of the data that they are compared with. */
export interface SampleFile extends PictureShape {
  readonly path: string;
  readonly count: number;
  /** [count, height, width, channels] */
  readonly images: Uint8Array;
  readonly labels: readonly number[];
}

/** Reads the pictures and their labels. @throws UsageError, FileError, FormatError */
export async function readSampleFile(path: string): Promise<SampleFile> {
  if (extname(path) !== '.npy') throw new UsageError(`--samples: expected a file .npy, got "${path}"`);
  const { type, shape, values } = decodeNpy(await host.readFile(path), path);
  if (!(values instanceof Uint8Array)) {
    throw new FormatError(`${path}: expected pictures of uint8, 0 to 255, got ${type}`);
  }
  if (shape.length !== 3 && shape.length !== 4) {
    throw new FormatError(`${path}: expected pictures [n, height, width], got [${shape.join(', ')}]`);
  }
  const [count, height, width, channels = 1] = shape;
  if (count < LEAST) {
    throw new UsageError(`--samples: expected ${LEAST} pictures or more in ${path}, got ${count}`);
  }
  return { path, count, height, width, channels, images: values, labels: await readLabels(path, count) };
}

/** One label a picture. */
async function readLabels(pictures: string, count: number): Promise<readonly number[]> {
  const path = labelsFileName(pictures);
  if (!(await host.exists(path))) {
    throw new FileError(`cannot read ${path}: no such file; it has a label for each picture of ${pictures}`);
  }
  const { shape, values } = decodeNpy(await host.readFile(path), path);
  if (shape.length !== 1 || shape[0] !== count) {
    throw new FormatError(`${path}: expected ${count} labels, one a picture, got [${shape.join(', ')}]`);
  }
  return Array.from(values);
}

/**
 * The first `count` of the pictures, or all, to be judged beside these data.
 * @throws UsageError for pictures of another size, or fewer than `count`; FormatError for labels that are no classes
 */
export function fitSamples(
  file: SampleFile,
  { train }: { readonly train: Dataset },
  count?: number,
): JudgedPictures {
  const { path, height, width, channels, images, labels } = file;
  const [expected, got] = [train, file].map(pictureName);
  if (got !== expected) {
    throw new UsageError(`--samples: expected pictures of ${expected}, as ${train.name} has, got ${got}`);
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
