/** Activation functions as modules, for use in `Sequential`. */
import type { FusedActivation } from '../ops/linear.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Module } from './module.ts';

/** A module without parameters; `fused` names the form in which a linear layer can apply it itself. */
export abstract class Activation extends Module {
  readonly fused: FusedActivation | null = null;
}

export class ReLU extends Activation {
  override readonly fused = 'relu';
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

export class Sigmoid extends Activation {
  override readonly fused = 'sigmoid';
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

export class Tanh extends Activation {
  override readonly fused = 'tanh';
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/** x·sigmoid(x); its derivative needs x, so that it is not fused. */
export class SiLU extends Activation {
  override forward(x: Tensor): Tensor {
    return x.silu();
  }
}
