/**
 * Modules. A model is a tree of modules. A parameter's name is its path in the tree, as in PyTorch
 * (`encoder.0.weight`). So checkpoints can be exchanged with PyTorch.
 *
 * The properties of a module are its registry, in the order in which they were assigned. A property that is a module is
 * a child. A tensor on the heap that is not the result of an operation is part of the state. It is a parameter if it
 * requires a gradient. The elements of an array count as properties: `blocks.0` (PyTorch's ModuleList and
 * ParameterList). So a table of constants, or a parameter frozen with `requireGrad(false)`, is saved but not trained.
 * Use a private `#field` for a tensor that is not part of the state.
 *
 * A module has no `forward` of its own, because each network takes different arguments. A `Layer` takes one tensor.
 *
 * A module or tensor that occurs in several places is shared, as in PyTorch. `parameters()` lists it once, under its
 * first name. `stateDict()` lists it under each name.
 */
import { didYouMean, LifetimeError, ShapeError, ValueError } from '../errors.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Named tensors, in order. */
export type StateDict = Map<string, Tensor>;

/**
 * A part of a model. Its properties are its registry, in the order in which they were assigned. A module, alone or in
 * an array, is a child. A tensor that requires a gradient is a parameter. Any other tensor is saved but not trained.
 * Use a private `#field` for a property that is none of these. Maps and plain objects are not searched.
 */
export abstract class Module {
  /** Whether the module is training. `train()` and `eval()` set it for the whole tree. */
  training = true;

  /** Direct children by name. */
  children(): [string, Module][] {
    return entriesOf(this).filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  }

  /**
   * This module, under the name '', and all modules below it with their paths. Each is listed once, under its first
   * name.
   */
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

  /** All parameters of the tree, each once, in the order of their paths. An optimiser takes this list. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, p]) => p);
  }

  /** Clears all gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.zeroGrad();
  }

  /** Sets the training mode of the whole tree. Dropout and batch normalisation depend on it. Returns the module. */
  train(training = true): this {
    for (const [, module] of this.tree()) module.training = training;
    return this;
  }

  /** Sets evaluation mode for the whole tree: `train(false)`. Returns the module. */
  eval(): this {
    return this.train(false);
  }

  /** Calls `body` with the whole tree in evaluation mode. Then each module gets its own mode back. */
  whileEvaluating<T>(body: () => T): T {
    const modes = [...this.tree()].map(([, module]) => [module, module.training] as const);
    this.eval();
    try {
      return body();
    } finally {
      for (const [module, training] of modes) module.training = training;
    }
  }

  /** The parameters and other tensors of the tree themselves, by name. Writing to them changes the model. */
  stateDict(): StateDict {
    return new Map(this.namedTensors());
  }

  /**
   * Copies parameters by name into this module. If anything does not fit, nothing is changed.
   * @throws ValueError for a missing or an unknown name, ShapeError for another shape
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    copyState(state, this.stateDict());
  }

  /** Frees all parameters and other tensors of the tree. */
  dispose(): void {
    for (const p of new Set(this.stateDict().values())) p.dispose();
  }

  /** This module and all modules below it, with the prefix of their names. */
  private *tree(prefix = '', above: readonly Module[] = []): Generator<[string, Module]> {
    // A property may refer to a module above, such as `parent`.
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

/** A module that is a function of one tensor. `Sequential` takes layers. */
export abstract class Layer extends Module {
  /**
   * The output of the layer. Activations and normalisations keep the shape of x.
   * @throws ShapeError for an x that does not fit the layer
   */
  abstract forward(x: Tensor): Tensor;
}

/** The properties of an object by name. Elements of arrays are included, as `blocks.0`. */
function entriesOf(owner: object): [string, unknown][] {
  return Object.entries(owner).flatMap(([name, value]): [string, unknown][] =>
    Array.isArray(value)
      ? entriesOf(value).map(([i, element]): [string, unknown] => [`${name}.${i}`, element])
      : [[name, value]],
  );
}

/** @throws LifetimeError for a parameter that ends with a scope */
function isState(path: string, [name, value]: [string, unknown]): boolean {
  if (!(value instanceof Tensor && value.isLeaf)) return false;
  if (value.onHeap) return true;
  if (!value.requiresGrad) return false;
  throw new LifetimeError(
    `${path}${name}: expected a parameter outside of scopes, got one that ends with its scope: use keep().requireGrad()`,
  );
}

/**
 * Copies the tensors of `from` into those of `to` by name. If anything does not fit, nothing is changed.
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
