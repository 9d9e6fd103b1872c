/** Activation functions as layers, for use in `Sequential`. */
import type { Tensor } from '../tensor/tensor.ts';
import { Layer } from './module.ts';

/** max(x, 0) */
export class ReLU extends Layer {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** 1/(1 + e^-x) */
export class Sigmoid extends Layer {
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

export class Tanh extends Layer {
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** x·sigmoid(x) */
export class SiLU extends Layer {
  override forward(x: Tensor): Tensor {
    return x.silu();
  }
}
