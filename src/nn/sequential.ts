/**
 * Layers one after the other, named by their position: `0.weight`, `2.weight`.
 *
 * A linear layer that is followed by a ReLU, sigmoid or tanh takes it into its own op (ops/linear.ts): the
 * numbers are the same, and the activation costs no pass over memory. SiLU's derivative needs its input, which a
 * fused op does not keep, so it stays on its own; so do classes derived from these, whose `forward` may differ, and
 * layers whose output a hook looks at (hooks.ts).
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

export class Sequential extends Layer {
  readonly layers: readonly Layer[];

  /** @throws ValueError for anything but layers */
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
