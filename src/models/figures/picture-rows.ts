/** Rows of pictures of the same size, such as a model's inputs and, below them, its outputs. */
import { noGrad, scope } from '../../autograd/tape.ts';
import type { FloatArray } from '../../backend/backend.ts';
import type { PictureShape } from '../../data/dataset.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The size of a picture in pixels. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
  /** The number of values of a pixel. Absent for 1, so that the hash of a grey figure does not depend on it. */
  readonly channels?: number | undefined;
}

/** The size of the pictures in a figure. */
export const pictureSizeOf = ({ height, width, channels }: PictureShape): PictureSize => ({
  height,
  width,
  ...(channels > 1 && { channels }),
});

export interface PictureRow {
  readonly label: string;
  /** `[pictures · height·width·channels]`, picture after picture. 0 is black and 1 is white; noise can lie outside. */
  readonly pixels: FloatArray;
}

export interface PictureRows extends PictureSize {
  readonly rows: readonly PictureRow[];
}

/**
 * Calls `compute` without gradients, and makes a row of each tensor `[pictures, ...]` that it returns. The tensors are
 * freed.
 * @param labels one per row
 */
export function pictureRows(
  shape: PictureShape,
  labels: readonly string[],
  compute: () => readonly Tensor[],
): PictureRows {
  const arrays = scope(() => noGrad(() => compute().map((x) => x.toTypedArray())));
  return { ...pictureSizeOf(shape), rows: arrays.map((pixels, i) => ({ label: labels[i], pixels })) };
}
