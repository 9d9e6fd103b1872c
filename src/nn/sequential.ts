/**
 * Modules one after the other, named by their position: `0.weight`, `2.weight`.
 *
 * A linear layer that is followed by a ReLU, sigmoid or tanh takes it into its own op (ops/linear.ts): the
 * numbers are the same, and the activation costs no pass over memory.
 */
import type { Tensor } from '../tensor/tensor.ts';
import { Activation } from './activation.ts';
import { Linear } from './linear.ts';
import { Module } from './module.ts';

export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    this.layers = layers;
  }

  override children(): [string, Module][] {
    return this.layers.map((layer, i) => [String(i), layer]);
  }

  override forward(x: Tensor): Tensor {
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i]!;
      const next = this.layers[i + 1];
      if (layer instanceof Linear && next instanceof Activation && next.fused) {
        x = layer.forward(x, next.fused);
        i++;
      } else {
        x = layer.forward(x);
      }
    }
    return x;
  }
}
