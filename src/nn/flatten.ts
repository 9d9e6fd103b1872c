/** A layer that makes a row of each sample: [batch, ...] to [batch, n]. The elements are not copied. */
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './module.ts';

export class Flatten extends Layer {
  /** @throws ShapeError for a tensor without axes */
  override forward(x: Tensor): Tensor {
    if (x.rank === 0) throw new ShapeError('Flatten: expected [batch, ...], got a scalar');
    const [batch, ...sample] = x.shape;
    return x.reshape(
      batch,
      sample.reduce((n, size) => n * size, 1),
    );
  }
}
