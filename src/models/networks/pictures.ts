/** Pictures as networks take them, and as rows of numbers for those that are MLPs. */
import type { PictureShape } from '../../data/dataset.ts';
import { ShapeError } from '../../errors.ts';
import { Flatten } from '../../nn/flatten.ts';
import type { Tensor } from '../../tensor/tensor.ts';

const flatten = new Flatten();

/** Throws ShapeError unless x is [b, height, width, channels]. @param kind names the network in errors */
export function checkPictures(kind: string, x: Tensor, { height, width, channels }: PictureShape): void {
  if (x.rank === 4 && x.shape.slice(1).join() === `${height},${width},${channels}`) return;
  throw new ShapeError(`${kind}: expected pictures [b,${height},${width},${channels}], got [${x.shape}]`);
}

/**
 * Pictures [b, height, width, channels] as rows [b, height·width·channels], in the same memory.
 * @param kind names the network in errors
 * @throws ShapeError for another shape
 */
export function pictureRows(kind: string, x: Tensor, sizes: PictureShape): Tensor {
  checkPictures(kind, x, sizes);
  return flatten.forward(x);
}
