/**
 * Initial values of parameters. Parameters live on the heap, also if they are made inside a scope.
 *
 * Source: PyTorch's `nn.Linear`. Its Kaiming-uniform weights with a = √5 are U(-1/√in, 1/√in). The bias has the same
 * bound.
 */
import { scope } from '../autograd/tape.ts';
import type { Shape } from '../autograd/variable.ts';
import type { Rng } from '../random/rng.ts';
import { full } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Module } from './module.ts';

/** A parameter whose elements are all `value`. */
export function filledParameter(shape: Shape, value: number): Tensor {
  return scope(() => full(shape, value).keep()).requireGrad();
}

/** A parameter of standard normals. */
export function normalParameter(shape: Shape, rng: Rng): Tensor {
  return scope(() => rng.normal(shape).keep()).requireGrad();
}

/** A parameter drawn from U(-bound, bound). */
export function uniformParameter(shape: Shape, bound: number, rng: Rng): Tensor {
  return scope(() => rng.uniform(shape, -bound, bound).keep()).requireGrad();
}

/**
 * Sets all parameters of a layer to 0, and returns the layer. Its output is then 0. A network that adds this output to
 * another tensor does not change that tensor at first.
 */
export function zeroed<M extends Module>(layer: M): M {
  for (const [, p] of layer.namedParameters()) p.set(new Float32Array(p.size));
  return layer;
}
