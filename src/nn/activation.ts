/** Activation functions as modules, for use in `Sequential`. */
import type { Tensor } from '../tensor/tensor.ts';
import { Module } from './module.ts';

/** max(x, 0) */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** 1/(1 + e^-x) */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** x·sigmoid(x) */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.silu();
  }
}
