/**
 * Modules: a model is a tree of them, and its parameters are named by their path in it, as PyTorch names them
 * (`encoder.0.weight`), so that checkpoints travel.
 *
 * A module's properties are its registry, in the order in which they were assigned: a module is a child, a tensor
 * on the heap that no operation made is part of its state, and a parameter if it requires a gradient. The elements of an
 * array count as properties: `blocks.0` (PyTorch's ModuleList and ParameterList). So a
 * parameter that is frozen with `requireGrad(false)` and a table of constants are saved, but not trained; what
 * shall be neither stays in a private `#field`.
 *
 * A module has no `forward` of its own: what a network takes is its class's business. A `Layer` takes one tensor.
 *
 * A module or tensor that is found in several places is shared, as in PyTorch: `parameters()` has it once, under
 * its first name; `stateDict()` has it under each.
 */
import { didYouMean, LifetimeError, ShapeError, ValueError } from '../errors.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Named tensors, in order. */
export type StateDict = Map<string, Tensor>;

/**
 * A part of a model. Its properties are its registry, in the order in which they were assigned: a module, or one in an
 * array, is a child; a tensor that requires a gradient is a parameter; another tensor is saved and not trained. What
 * shall be none of these stays in a private `#field`. Maps and plain objects are not searched.
 */
export abstract class Module {
  /** Whether the module is training; set for the whole tree by `train()` and `eval()`. */
  training = true;

  /** Direct children by name. */
  children(): [string, Module][] {
    return entriesOf(this).filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  }

  /** This module, under the name '', and all below it with their paths, each once under its first. */
  namedModules(): [string, Module][] {
    const names = new Map<Module, string>();
    for (const [prefix, module] of this.tree()) {
      if (!names.has(module)) names.set(module, prefix.slice(0, -1));
    }
    return [...names].map(([module, name]) => [name, module]);
  }

  /** All parameters of the tree with their paths, each once. */
  namedParameters(prefix = ''): [string, Tensor][] {
    const found = new Set<Tensor>();
    return this.namedTensors(prefix).filter(([, p]) => {
      const first = !found.has(p);
      found.add(p);
      return first && p.requiresGrad;
    });
  }

  parameters(): Tensor[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.zeroGrad();
  }

  train(training = true): this {
    for (const [, module] of this.tree()) module.training = training;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Calls `body` with the whole tree in evaluation mode, and gives each module its own mode back. */
  whileEvaluating<T>(body: () => T): T {
    const modes = [...this.tree()].map(([, module]) => [module, module.training] as const);
    this.eval();
    try {
      return body();
    } finally {
      for (const [module, training] of modes) module.training = training;
    }
  }

  /** The parameters and other tensors of the tree themselves, by name: writing to them changes the model. */
  stateDict(): StateDict {
    return new Map(this.namedTensors());
  }

  /**
   * Copies parameters in by name. Nothing is changed unless everything fits.
   * @throws ValueError for a missing or an unknown name, ShapeError for another shape
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    copyState(state, this.stateDict());
  }

  /** Frees all parameters and other tensors of the tree. */
  dispose(): void {
    for (const p of new Set(this.stateDict().values())) p.dispose();
  }

  /** This module and all below it, with the prefix of their names. */
  private *tree(prefix = '', above: readonly Module[] = []): Generator<[string, Module]> {
    // A property may lead back up, as `parent` would.
    if (above.includes(this)) return;
    yield [prefix, this];
    for (const [name, child] of this.children()) yield* child.tree(`${prefix}${name}.`, [...above, this]);
  }

  private namedTensors(prefix = ''): [string, Tensor][] {
    return [...this.tree(prefix)].flatMap(([path, module]) =>
      entriesOf(module)
        .filter((entry): entry is [string, Tensor] => isState(path, entry))
        .map(([name, p]): [string, Tensor] => [path + name, p]),
    );
  }
}

/** A module that is a function of one tensor: what `Sequential` takes. */
export abstract class Layer extends Module {
  abstract forward(x: Tensor): Tensor;
}

/** The properties of an object by name, and the elements of arrays among them, as `blocks.0`. */
function entriesOf(owner: object): [string, unknown][] {
  return Object.entries(owner).flatMap(([name, value]): [string, unknown][] =>
    Array.isArray(value)
      ? entriesOf(value).map(([i, element]): [string, unknown] => [`${name}.${i}`, element])
      : [[name, value]],
  );
}

/** @throws LifetimeError for a parameter that dies with a scope */
function isState(path: string, [name, value]: [string, unknown]): boolean {
  if (!(value instanceof Tensor && value.isLeaf)) return false;
  if (value.onHeap) return true;
  if (!value.requiresGrad) return false;
  throw new LifetimeError(
    `${path}${name}: expected a parameter outside of scopes, got one that ends with its scope: make it with keep().requireGrad()`,
  );
}

/**
 * Copies the tensors of `from` into those of `to` by name. Nothing is changed unless everything fits.
 * @throws ValueError for a missing or an unknown name, ShapeError for another shape
 */
export function copyState(from: ReadonlyMap<string, Tensor>, to: ReadonlyMap<string, Tensor>): void {
  for (const name of from.keys()) {
    if (!to.has(name)) {
      throw new ValueError(`loadStateDict: unknown parameter "${name}".${didYouMean(name, [...to.keys()])}`);
    }
  }
  for (const [name, p] of to) {
    const value = from.get(name);
    if (!value) throw new ValueError(`loadStateDict: expected a parameter "${name}", got none`);
    if (value.shape.join() !== p.shape.join()) {
      throw new ShapeError(`loadStateDict: expected ${name} of shape [${p.shape}], got [${value.shape}]`);
    }
    if (!value.alive || !p.alive) {
      throw new LifetimeError(`loadStateDict: ${name} was disposed or its scope ended`);
    }
  }
  for (const [name, p] of to) p.copyFrom(from.get(name) as Tensor);
}
