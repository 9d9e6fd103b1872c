/**
 * Simple statistics of a picture's pixels. They do not depend on what the picture shows. If a pixel has several
 * channels, its grey level is their mean, rounded. The pixel (x, y) = (0, 0) is at the upper left. "Ink" means a grey
 * level of at least 1.
 *
 *     grey0 ... grey255       fraction of the pixels whose grey level is in the bin
 *     ink                     mean grey, 0 to 1
 *     border                  mean grey of the outermost pixels
 *     frame                   mean grey of a frame. Its thickness is a seventh of the shorter side.
 *     left, top, width, height, longer     the smallest box with all ink, and the longer one of its sides
 *     left64, ... , longer64               the same for grey levels of at least 64
 *     centreX, centreY        centre of mass, relative to the middle of the picture
 *     offCentre               the distance of the centre of mass from the middle
 *     momentXX, momentYY, momentXY         second moments of the mass about its centre
 *     edges                   mean of dx² + dy², with the differences dx and dy of neighbouring pixels
 *     roughness               mean square of the Laplacian (with four neighbours) of the inner pixels
 *     specks, specks64        number of pixels >= 1 (>= 64) whose eight neighbours are all smaller than 1 (64)
 *
 * A picture without ink has a box of size 0 at position 0. Its centre is the middle, and its moments are 0.
 */
import { type PictureShape, pictureSize } from '../../data/dataset.ts';
import { ShapeError } from '../../errors.ts';

/** The first and the last grey level of each bin. In MNIST 0, 253, 254 and 255 are very frequent. */
const BINS = [
  [0, 0],
  [1, 3],
  [4, 31],
  [32, 95],
  [96, 159],
  [160, 223],
  [224, 252],
  [253, 253],
  [254, 254],
  [255, 255],
] as const;
/** The smallest grey levels that count as ink: any ink, and the middle of a stroke. */
const LEVELS = [1, 64] as const;

const BOX = ['left', 'top', 'width', 'height', 'longer'] as const;
const forLevel = (names: readonly string[], level: number) =>
  names.map((name) => (level === 1 ? name : `${name}${level}`));

/** The names of the statistics, in the order of `pictureStatistics`. */
export const STATISTICS: readonly string[] = [
  ...BINS.map(([from, to]) => (from === to ? `grey${from}` : `grey${from}-${to}`)),
  'ink',
  'border',
  'frame',
  ...LEVELS.flatMap((level) => forLevel(BOX, level)),
  'centreX',
  'centreY',
  'offCentre',
  'momentXX',
  'momentYY',
  'momentXY',
  'edges',
  'roughness',
  ...LEVELS.flatMap((level) => forLevel(['specks'], level)),
];

/** A grey picture, stored row by row. */
export interface Grey {
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

/**
 * The statistics of each picture, [n, STATISTICS.length].
 * @param images [n, height, width, channels], 0 to 255
 * @throws ShapeError unless `images` has a whole number of pictures
 */
export function pictureStatistics(images: Uint8Array, shape: PictureShape): Float64Array {
  const { height, width, channels } = shape;
  const size = pictureSize(shape);
  const n = images.length / size;
  if (!Number.isInteger(n)) {
    throw new ShapeError(`statistics: expected pictures of ${size} numbers, got ${images.length} numbers`);
  }
  const all = new Float64Array(n * STATISTICS.length);
  for (let i = 0; i < n; i++) {
    const pixels = greyOf(images.subarray(i * size, (i + 1) * size), channels);
    all.set(statisticsOf({ height, width, pixels }), i * STATISTICS.length);
  }
  return all;
}

/** The mean of each pixel's channels, rounded. The result is `images` itself if there is one channel. */
export function greyOf(images: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return images;
  return Uint8Array.from({ length: images.length / channels }, (_, i) => {
    const pixel = images.subarray(i * channels, (i + 1) * channels);
    return Math.round(pixel.reduce((a, b) => a + b, 0) / channels);
  });
}

function statisticsOf(grey: Grey): number[] {
  const { height, width } = grey;
  return [
    ...histogram(grey),
    frame(grey, Math.max(height, width)),
    frame(grey, 1),
    frame(grey, Math.max(1, Math.floor(Math.min(height, width) / 7))),
    ...LEVELS.flatMap((level) => box(grey, level)),
    ...moments(grey),
    ...edges(grey),
    ...LEVELS.map((level) => specks(grey, level)),
  ];
}

/** The fraction of the pixels in each bin. */
function histogram({ pixels }: Grey): number[] {
  const counts = new Uint32Array(256);
  for (const grey of pixels) counts[grey]++;
  return BINS.map(([from, to]) => counts.subarray(from, to + 1).reduce((a, b) => a + b) / pixels.length);
}

/** The mean grey of a frame of `thickness` pixels at the picture's edge, 0 to 1. */
function frame({ height, width, pixels }: Grey, thickness: number): number {
  let [sum, count] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (Math.min(x, y, width - 1 - x, height - 1 - y) >= thickness) continue;
      sum += pixels[y * width + x];
      count++;
    }
  }
  return sum / (255 * count);
}

/** The smallest box with all pixels >= `level`. If there is no such pixel, all four numbers are 0. */
export function inkBox(
  { height, width, pixels }: Grey,
  level: number,
): { readonly left: number; readonly top: number; readonly width: number; readonly height: number } {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[y * width + x] < level) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
    }
  }
  if (right < 0) return { left: 0, top: 0, width: 0, height: 0 };
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

function box(grey: Grey, level: number): number[] {
  const { left, top, width, height } = inkBox(grey, level);
  return [left, top, width, height, Math.max(width, height)];
}

/**
 * The sum of all grey levels, and their centre of mass relative to the middle of the picture. Without ink the centre is
 * (0, 0).
 */
export function centreOfMass({ height, width, pixels }: Grey): {
  readonly mass: number;
  readonly x: number;
  readonly y: number;
} {
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) {
    mass += pixels[i];
    sumX += pixels[i] * ((i % width) - middleX);
    sumY += pixels[i] * (Math.floor(i / width) - middleY);
  }
  return mass === 0 ? { mass, x: 0, y: 0 } : { mass, x: sumX / mass, y: sumY / mass };
}

/** The centre of mass relative to the middle, its distance from the middle, and the second moments about it. */
function moments(grey: Grey): number[] {
  const { height, width, pixels } = grey;
  const { mass, x: centreX, y: centreY } = centreOfMass(grey);
  if (mass === 0) return [0, 0, 0, 0, 0, 0];
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  let [sumXX, sumYY, sumXY] = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) {
    const [x, y, m] = [(i % width) - middleX, Math.floor(i / width) - middleY, pixels[i]];
    sumXX += m * x * x;
    sumYY += m * y * y;
    sumXY += m * x * y;
  }
  const moment = (sum: number, a: number, b: number) => sum / mass - a * b;
  return [
    ...[centreX, centreY, Math.sqrt(centreX * centreX + centreY * centreY)],
    ...[moment(sumXX, centreX, centreX), moment(sumYY, centreY, centreY), moment(sumXY, centreX, centreY)],
  ];
}

const square = (x: number) => x * x;

/** The mean squares of the first differences and of the Laplacian, with greys from 0 to 1. */
function edges({ height, width, pixels }: Grey): number[] {
  let [first, second] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const grey = pixels[at];
      if (x + 1 < width) first += square(pixels[at + 1] - grey);
      if (y + 1 < height) first += square(pixels[at + width] - grey);
      if (x === 0 || y === 0 || x + 1 === width || y + 1 === height) continue;
      second += square(pixels[at - 1] + pixels[at + 1] + pixels[at - width] + pixels[at + width] - 4 * grey);
    }
  }
  const inner = Math.max(1, (height - 2) * (width - 2));
  return [first / (square(255) * pixels.length), second / (square(255) * inner)];
}

/** The number of pixels >= `level` that have no neighbour >= `level`. */
function specks({ height, width, pixels }: Grey, level: number): number {
  const isInk = (x: number, y: number) =>
    x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] >= level;
  const around = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dx, dy] as const));
  let count = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isInk(x, y) && around.filter(([dx, dy]) => isInk(x + dx, y + dy)).length === 1) count++;
    }
  }
  return count;
}
