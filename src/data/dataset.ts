/**
 * A labelled set of pictures in memory, and functions that take a part of it. Pixels are stored as bytes: 60,000 MNIST
 * pictures take 47 MB, and would take 188 MB as float32. A loader converts one batch at a time.
 *
 * `subset` and `take` share memory with their source. `split` shuffles, so it copies.
 */
import seedrandom from 'seedrandom';
import { ValueError } from '../errors.ts';

/** The sizes of one picture. */
export type PictureShape = Pick<Dataset, 'height' | 'width' | 'channels'>;

/** A set of labelled pictures in memory, as bytes. All pictures have the same size. */
export interface Dataset {
  /** The name in messages and files, such as `mnist train`. */
  readonly name: string;
  /** The number of pictures. */
  readonly length: number;
  /** Rows of a picture, in pixels. */
  readonly height: number;
  /** Columns of a picture, in pixels. */
  readonly width: number;
  /** The number of values of a pixel: 1 for grey, 3 for red, green and blue. */
  readonly channels: number;
  /** Every label is a whole number in [0, classes). */
  readonly classes: number;
  /** `[length, height, width, channels]`, 0 (background) to 255. */
  readonly images: Uint8Array;
  /** `[length]` */
  readonly labels: Uint8Array;
}

/** A training set and a test set. */
export interface TrainTest {
  /** The pictures that a model learns from. */
  readonly train: Dataset;
  /** The pictures that a model is measured with. Training never reads them. */
  readonly test: Dataset;
}

function requireWhole(what: string, value: number, from: number, to: number): void {
  if (!Number.isInteger(value) || value < from || value > to) {
    const range = to === Infinity ? `${from} or more` : `from ${from} to ${to}`;
    throw new ValueError(`${what}: expected a whole number, ${range}, got ${value}`);
  }
}

/** The arguments of `createDataset`. */
export interface DatasetFields extends Omit<Dataset, 'length' | 'channels'> {
  /** 1 by default. */
  readonly channels?: number;
}

/** Makes a data set of these fields. @throws ValueError if sizes and labels do not fit each other */
export function createDataset(fields: DatasetFields): Dataset {
  const { name, height, width, channels = 1, classes, images, labels } = fields;
  requireWhole(`${name}: height`, height, 1, Infinity);
  requireWhole(`${name}: width`, width, 1, Infinity);
  requireWhole(`${name}: channels`, channels, 1, Infinity);
  requireWhole(`${name}: classes`, classes, 1, 256);
  const length = labels.length;
  const size = length * height * width * channels;
  if (images.length !== size) {
    const expected = `${length}·${height}·${width}·${channels} = ${size} bytes for ${length} labels`;
    throw new ValueError(`${name}: expected ${expected}, got ${images.length}`);
  }
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new ValueError(`${name}: expected labels below ${classes}, got ${labels[wrong]} at ${wrong}`);
  }
  return { name, length, height, width, channels, classes, images, labels };
}

/** The number of values in a picture: height·width·channels. */
export function pictureSize({ height, width, channels }: PictureShape): number {
  return height * width * channels;
}

/** `28x28`, or `32x32x3` if a pixel has several channels. */
export function pictureName({ height, width, channels }: PictureShape): string {
  return [height, width, ...(channels === 1 ? [] : [channels])].join('x');
}

/** The pictures from `start` up to but not including `end`, in shared memory. @throws ValueError */
export function subset(dataset: Dataset, start: number, end: number): Dataset {
  requireWhole(`${dataset.name}: start of a subset`, start, 0, dataset.length);
  requireWhole(`${dataset.name}: end of a subset`, end, start, dataset.length);
  const size = pictureSize(dataset);
  return {
    ...dataset,
    length: end - start,
    images: dataset.images.subarray(start * size, end * size),
    labels: dataset.labels.subarray(start, end),
  };
}

/** The first `count` pictures, or all if there are fewer, in shared memory. @throws ValueError */
export function take(dataset: Dataset, count: number): Dataset {
  requireWhole('limit', count, 1, Infinity);
  return subset(dataset, 0, Math.min(count, dataset.length));
}

/**
 * A uniformly random permutation of 0 to n - 1. It is the same on every engine for the same seed. The number 7 and the
 * string '7' are the same seed. Durstenfeld's form of the Fisher-Yates shuffle (CACM 7:7, 1964, algorithm 235).
 * @throws ValueError
 */
export function permutation(n: number, seed: string | number): Uint32Array {
  requireWhole('permutation', n, 0, 2 ** 32);
  const random = seedrandom(String(seed));
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random.double() * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

/** The pictures at these indices, copied. */
export function gather(dataset: Dataset, indices: Uint32Array): Dataset {
  const size = pictureSize(dataset);
  const images = new Uint8Array(indices.length * size);
  const labels = new Uint8Array(indices.length);
  indices.forEach((from, to) => {
    images.set(dataset.images.subarray(from * size, (from + 1) * size), to * size);
    labels[to] = dataset.labels[from];
  });
  return { ...dataset, length: indices.length, images, labels };
}

/**
 * Shuffles the pictures and splits them into two disjoint sets. The training set has the share `fraction` of them,
 * rounded to a whole number. The test set has the others.
 * @param fraction in [0, 1]
 * @throws ValueError
 */
export function split(dataset: Dataset, fraction: number, seed: string | number): TrainTest {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new ValueError(`split: expected a fraction from 0 to 1, got ${fraction}`);
  }
  const order = permutation(dataset.length, seed);
  const cut = Math.round(fraction * dataset.length);
  return { train: gather(dataset, order.subarray(0, cut)), test: gather(dataset, order.subarray(cut)) };
}
