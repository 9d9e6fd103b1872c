/**
 * Hooks of activations. They show the output of each layer of a model while the model computes.
 *
 * A hooked layer gets its own `forward`, which calls that of its class and then the hooks. This property is not
 * enumerable, so it is not part of the model's state. It is removed with the last hook. `Sequential` does not fuse an
 * activation into a linear layer if one of the two is hooked. Left out on purpose: hooks that replace the output. Write
 * a layer of your own for that.
 */
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Layer, Module } from './module.ts';

/**
 * A function that is called after the forward pass of a layer.
 * @param name the layer's path in the model, '' for the model itself
 * @param output the result of `forward`, in the caller's scope: `keep()` it, or read it in the hook
 */
export type ActivationHook = (name: string, layer: Layer, output: Tensor, input: Tensor) => void;

/** A function that runs a layer's forward pass and returns its output. */
export type Around = (run: () => Tensor, input: Tensor) => Tensor;

interface Hooked {
  readonly arounds: Set<Around>;
  /** The layer's own `forward` before the hook, if it had one. */
  readonly own: PropertyDescriptor | undefined;
}

const HOOKED = new WeakMap<Layer, Hooked>();

/** Whether a hook reads the output of this layer. */
export function isHooked(layer: Layer): boolean {
  return HOOKED.has(layer);
}

/**
 * Calls `hook` after the forward pass of each layer in a model. Layers at any depth are included, and so is the model
 * itself. A layer that finishes first comes first. A layer that occurs in several places has its first name. Several
 * hooks run in the order in which they were added. Call `output.onGradient` in the hook to read the gradients of
 * activations.
 *
 * @returns a function that removes the hook from all layers
 * @throws ValueError for a model that is not a module, or a hook that is not a function
 *
 * @example
 *   const remove = hookActivations(model, (name, _, output) => console.log(name, output.shape));
 *   model.forward(x);
 *   remove();
 */
export function hookActivations(model: Module, hook: ActivationHook): () => void {
  if (typeof hook !== 'function') {
    throw new ValueError(`hookActivations: expected a function, got ${describe(hook)}`);
  }
  return aroundForward('hookActivations', model, (name, layer) => (run, input) => {
    const output = run();
    hook(name, layer, output, input);
    return output;
  });
}

/** Wraps the forward pass of each layer in a model with a function. Returns a function that removes it. */
export function aroundForward(
  what: string,
  model: Module,
  aroundOf: (name: string, layer: Layer) => Around,
): () => void {
  if (!(model instanceof Module)) throw new ValueError(`${what}: expected a module, got ${describe(model)}`);
  const removers = model
    .namedModules()
    .flatMap(([name, module]) => (module instanceof Layer ? [attach(module, aroundOf(name, module))] : []));
  return () => {
    for (const remove of removers) remove();
  };
}

function attach(layer: Layer, around: Around): () => void {
  const { arounds, own } = HOOKED.get(layer) ?? intercept(layer);
  arounds.add(around);
  return () => {
    if (!arounds.delete(around) || arounds.size > 0) return;
    HOOKED.delete(layer);
    if (own) Object.defineProperty(layer, 'forward', own);
    else delete (layer as Partial<Layer>).forward;
  };
}

/** Gives the layer a `forward` that calls the wrapping functions. The first one that was added is the innermost. */
function intercept(layer: Layer): Hooked {
  const hooked: Hooked = {
    arounds: new Set(),
    own: Object.getOwnPropertyDescriptor(layer, 'forward'),
  };
  const { forward } = layer;
  const value = (input: Tensor, ...rest: []) => {
    let run = () => forward.call(layer, input, ...rest);
    for (const around of hooked.arounds) {
      const inner = run;
      run = () => around(inner, input);
    }
    return run();
  };
  Object.defineProperty(layer, 'forward', { value, configurable: true, enumerable: false, writable: true });
  HOOKED.set(layer, hooked);
  return hooked;
}
