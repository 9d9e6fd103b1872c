/** Rows of pictures of one size: what a model was given, and what it made of it, below each other. */
import { noGrad, scope } from '../../autograd/tape.ts';
import type { FloatArray } from '../../backend/backend.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The size of a picture in pixels. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

export interface PictureRow {
  readonly label: string;
  /** `[pictures · pixels]`, picture after picture, from 0 (black) to 1 (white); noise goes beyond. */
  readonly pixels: FloatArray;
}

export interface PictureRows extends PictureSize {
  readonly rows: readonly PictureRow[];
}

/**
 * Reads a row from each tensor `[pictures, ...]` that `compute` makes, without gradients. Its tensors are freed.
 * @param labels one a row
 */
export function pictureRows(
  { height, width }: PictureSize,
  labels: readonly string[],
  compute: () => readonly Tensor[],
): PictureRows {
  const arrays = scope(() => noGrad(() => compute().map((x) => x.toTypedArray())));
  return { height, width, rows: arrays.map((pixels, i) => ({ label: labels[i], pixels })) };
}
