/**
 * The preparation of a data set, for samples. MNIST's makers scaled each digit so that the longer side of its box is 20
 * pixels. They then moved it by whole pixels so that its centre of mass lies in the middle of the 28x28 picture. So
 * 99.98 % of the training digits have a longer side of exactly 20, and all have a centre of mass within half a pixel of
 * (14, 14), pixels counted from 0. A network learns both only approximately. `mnist` corrects the samples:
 *
 *     a sample whose longer side is not 20 is replaced by a new one, at most MOST_ROUNDS times (sample.ts)
 *     every sample is moved by the whole pixels that bring its centre of mass nearest to (14, 14)
 *
 * Ink is a grey of 1 or more, of 255. Pixels that move over the edge are lost.
 *
 * Left out on purpose: scaling the box, which blurs the greys.
 *
 * Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
 */
import { type PictureShape, pictureName } from '../data/dataset.ts';
import { ShapeError } from '../errors.ts';
import { toBytes } from '../image/bytes.ts';
import { centreOfMass, type Grey, inkBox } from './evaluation/picture-statistics.ts';

export const PREPARATIONS = ['none', 'mnist'] as const;
/** How a picture is prepared for a model. */
export type Preparation = (typeof PREPARATIONS)[number];

/** The most times that a sample is replaced. After that the last one is used. */
export const MOST_ROUNDS = 12;

const SIDE = 28;
const LONGER = 20;
/** The least grey that counts as ink. */
const INK = 1;

/** @throws ShapeError for a preparation that does not fit such pictures */
export function requirePreparation(preparation: Preparation, shape: PictureShape): void {
  const expected = pictureName({ height: SIDE, width: SIDE, channels: 1 });
  if (preparation === 'none' || pictureName(shape) === expected) return;
  throw new ShapeError(
    `prepare ${preparation}: expected a model of ${expected}, got one of ${pictureName(shape)}`,
  );
}

/** Converts a picture [28·28], 0 to 1, to eight bits per pixel, as in MNIST. */
const greyOf = (picture: Float64Array): Grey => ({ height: SIDE, width: SIDE, pixels: toBytes(picture) });

/** Whether the longer side of the picture's box is 20, as in MNIST. @param picture [28·28], 0 to 1 */
export function hasMnistSize(picture: Float64Array): boolean {
  const { width, height } = inkBox(greyOf(picture), INK);
  return Math.max(width, height) === LONGER;
}

/** Moves a picture [28·28] by the whole pixels that bring its centre of mass nearest to the middle, in place. */
export function centre(picture: Float64Array): void {
  const { mass, x, y } = centreOfMass(greyOf(picture));
  if (mass === 0) return;
  // From the middle between the pixels, (13.5, 13.5), to (14, 14).
  const [right, down] = [Math.round(0.5 - x), Math.round(0.5 - y)];
  const before = picture.slice();
  for (let i = 0; i < picture.length; i++) {
    const [x, y] = [(i % SIDE) - right, Math.floor(i / SIDE) - down];
    const isInside = x >= 0 && x < SIDE && y >= 0 && y < SIDE;
    picture[i] = isInside ? before[y * SIDE + x] : 0;
  }
}
