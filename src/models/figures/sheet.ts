/** A sheet of pictures in rows, with captions below the pictures. The figures of an evaluation are sheets. */
import { type PictureShape, pictureSize } from '../../data/dataset.ts';
import { greyOf } from '../evaluation/picture-statistics.ts';
import type { PictureSize } from './picture-rows.ts';

export interface SheetRow {
  readonly label: string;
  /** `[pictures · height·width]`: bytes, or greys from 0 to 1. */
  readonly pixels: Uint8Array | Float64Array;
  /** One caption per picture, or none. */
  readonly captions: readonly string[];
}

export interface Sheet extends PictureSize {
  readonly title: string;
  /** One label per column, or none. */
  readonly columnLabels: readonly string[];
  readonly rows: readonly SheetRow[];
}

/** The number of pictures in a row. */
const COLUMNS = 10;

/**
 * Puts pictures in rows of ten. A pixel with several channels is their mean.
 * @param label the label of the first row
 * @param images [n, height, width, channels]
 * @param captions one per picture
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
