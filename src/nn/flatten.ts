/** A layer that merges axes: by default all but the first, [batch, ...] to [batch, n]. The elements are not copied. */
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './module.ts';

/** Merges the axes from `begin` to `end`, both included. By default it merges all but the first. */
export class Flatten extends Layer {
  /**
   * Negative numbers count from the last axis.
   * @param begin the first axis to merge
   * @param end the last one
   */
  constructor(
    readonly begin = 1,
    readonly end = -1,
  ) {
    super();
  }

  /** @throws ShapeError for a tensor without these axes */
  override forward(x: Tensor): Tensor {
    if (x.rank === 0) throw new ShapeError('Flatten: expected [batch, ...], got a scalar');
    // A batch of single numbers becomes a batch of rows of one number.
    if (x.rank === 1 && this.begin === 1) return x.unsqueeze(1);
    return x.flatten(this.begin, this.end);
  }
}
