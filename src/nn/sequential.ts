/**
 * Layers one after the other, named by their position: `0.weight`, `2.weight`.
 *
 * A ReLU, sigmoid or tanh after a linear layer is fused into the linear layer's op (ops/linear.ts). The numbers are the
 * same, and the activation needs no pass over memory. Three cases are not fused. SiLU's derivative needs its input,
 * which a fused op does not keep. A derived class may have another `forward`. A hook may read the output of a layer
 * (hooks.ts).
 */
import { ValueError } from '../errors.ts';
import type { FusedActivation } from '../ops/epilogue.ts';
import { describe } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ReLU, Sigmoid, Tanh } from './activation.ts';
import { isHooked } from './hooks.ts';
import { Linear } from './linear.ts';
import { Layer, type Module } from './module.ts';

const FUSED: ReadonlyMap<unknown, FusedActivation> = new Map([
  [ReLU, 'relu'],
  [Sigmoid, 'sigmoid'],
  [Tanh, 'tanh'],
]);

/** Layers one after the other. The output of each is the input of the next. `layers` has them in order. */
export class Sequential extends Layer {
  readonly layers: readonly Layer[];

  /** @throws ValueError for arguments that are not layers */
  constructor(...layers: Layer[]) {
    super();
    const wrong = layers.findIndex((layer) => !(layer instanceof Layer));
    if (wrong >= 0) {
      throw new ValueError(`Sequential: expected layers, got ${describe(layers[wrong])} at ${wrong}`);
    }
    this.layers = layers;
  }

  override children(): [string, Module][] {
    return this.layers.map((layer, i) => [String(i), layer]);
  }

  override forward(x: Tensor): Tensor {
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i];
      const next = this.layers[i + 1];
      const fused = FUSED.get(next?.constructor);
      if (layer.constructor === Linear && fused && !isHooked(layer) && !isHooked(next)) {
        x = (layer as Linear).forward(x, fused);
        i++;
      } else {
        x = layer.forward(x);
      }
    }
    return x;
  }
}
