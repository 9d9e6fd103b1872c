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

/** The hyperbolic tangent, (e^x - e^-x)/(e^x + e^-x) */
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

/** x·Φ(x) with the normal distribution function Φ. It is not the approximation by tanh. */
export class GELU extends Layer {
  override forward(x: Tensor): Tensor {
    return x.gelu();
  }
}

/** ln(1 + e^x) */
export class Softplus extends Layer {
  override forward(x: Tensor): Tensor {
    return x.softplus();
  }
}

/** x where x > 0, else slope·x. */
export class LeakyReLU extends Layer {
  /**
   * A layer with this slope.
   * @param slope the factor of negative inputs, 0.01 by default
   */
  constructor(readonly slope = 0.01) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.leakyRelu(this.slope);
  }
}
