/** The layer that returns its input. Use it where a network may have a layer or none. */
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './module.ts';

/** The layer that returns its input. */
export class Identity extends Layer {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
