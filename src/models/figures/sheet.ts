/** A sheet of pictures in rows, each picture over a caption: what is drawn of samples beside real pictures. */
import { type PictureShape, pictureSize } from '../../data/dataset.ts';
import { greyOf } from '../evaluation/picture-statistics.ts';
import type { PictureSize } from './picture-rows.ts';

export interface SheetRow {
  readonly label: string;
  /** `[pictures · height·width]`: bytes, or greys from 0 to 1. */
  readonly pixels: Uint8Array | Float64Array;
  /** One a picture, or none at all. */
  readonly captions: readonly string[];
}

export interface Sheet extends PictureSize {
  readonly title: string;
  /** One a column, or none at all. */
  readonly columnLabels: readonly string[];
  readonly rows: readonly SheetRow[];
}

/** Pictures in a row. */
const COLUMNS = 10;

/**
 * Pictures in rows of ten. A pixel of several channels is their mean.
 * @param label of the first row
 * @param images [n, height, width, channels]
 * @param captions one a picture
 */
export function rowsOfTen(
  label: string,
  shape: PictureShape,
  images: Uint8Array,
  captions: readonly string[],
): SheetRow[] {
  const row = COLUMNS * pictureSize(shape);
  return Array.from({ length: Math.ceil(captions.length / COLUMNS) }, (_, r) => ({
    label: r === 0 ? label : '',
    pixels: greyOf(images.subarray(r * row, (r + 1) * row), shape.channels),
    captions: captions.slice(r * COLUMNS, (r + 1) * COLUMNS),
  }));
}
