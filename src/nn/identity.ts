/** The layer that changes nothing: for a place in a network that may stay empty. */
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './module.ts';

export class Identity extends Layer {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
