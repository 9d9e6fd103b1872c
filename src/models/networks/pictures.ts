/** Checks of pictures for networks, and pictures as rows of numbers for MLPs. */
import type { PictureShape } from '../../data/dataset.ts';
import { ShapeError } from '../../errors.ts';
import { Flatten } from '../../nn/flatten.ts';
import type { Tensor } from '../../tensor/tensor.ts';

const flatten = new Flatten();

/** @param kind the name of the network in errors @throws ShapeError unless x is [b, height, width, channels] */
export function checkPictures(kind: string, x: Tensor, { height, width, channels }: PictureShape): void {
  if (x.rank === 4 && x.shape.slice(1).join() === `${height},${width},${channels}`) return;
  throw new ShapeError(`${kind}: expected pictures [b,${height},${width},${channels}], got [${x.shape}]`);
}

/**
 * Pictures [b, height, width, channels] as rows [b, height·width·channels], in the same memory.
 * @param kind the name of the network in errors
 * @throws ShapeError for another shape
 */
export function pictureRows(kind: string, x: Tensor, sizes: PictureShape): Tensor {
  checkPictures(kind, x, sizes);
  return flatten.forward(x);
}
