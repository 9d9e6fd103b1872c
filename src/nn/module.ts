/**
 * Modules: a model is a tree of them, and its parameters are named by their path in it, as PyTorch names them
 * (`encoder.0.weight`), so that checkpoints travel.
 *
 * A module's properties are its registry: a tensor that requires a gradient is a parameter, a module is a
 * child, in the order in which they were assigned.
 */
import { didYouMean, ShapeError, ValueError } from '../errors.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Named tensors, in order. */
export type StateDict = Map<string, Tensor>;

export abstract class Module {
  /** Whether the module is training; set for the whole tree by `train()` and `eval()`. */
  training = true;

  /** The module's function. */
  abstract forward(x: Tensor): Tensor;

  /** Direct children by name. */
  children(): [string, Module][] {
    return Object.entries(this).filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  }

  /** All parameters of the tree with their paths. */
  namedParameters(prefix = ''): [string, Tensor][] {
    const own = Object.entries(this)
      .filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor && entry[1].requiresGrad)
      .map(([name, p]): [string, Tensor] => [prefix + name, p]);
    return [
      ...own,
      ...this.children().flatMap(([name, child]) => child.namedParameters(`${prefix}${name}.`)),
    ];
  }

  parameters(): Tensor[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.zeroGrad();
  }

  train(training = true): this {
    this.training = training;
    for (const [, child] of this.children()) child.train(training);
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** The parameters themselves by name: writing to them changes the model. */
  stateDict(): StateDict {
    return new Map(this.namedParameters());
  }

  /**
   * Copies parameters in by name. Nothing is changed unless everything fits.
   * @throws ValueError for a missing or an unknown name, ShapeError for another shape
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    const own = this.stateDict();
    for (const name of state.keys()) {
      if (!own.has(name))
        throw new ValueError(
          `loadStateDict: unknown parameter "${name}".${didYouMean(name, [...own.keys()])}`,
        );
    }
    for (const [name, p] of own) {
      const value = state.get(name);
      if (!value) throw new ValueError(`loadStateDict: expected a parameter "${name}", got none`);
      if (value.shape.join() !== p.shape.join()) {
        throw new ShapeError(`loadStateDict: expected ${name} of shape [${p.shape}], got [${value.shape}]`);
      }
    }
    for (const [name, p] of own) p.copyFrom(state.get(name)!);
  }

  /** Frees all parameters. */
  dispose(): void {
    for (const p of this.parameters()) p.dispose();
  }
}
