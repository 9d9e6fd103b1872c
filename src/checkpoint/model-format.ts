/**
 * How a kind of model is read from its file: a record of its sizes with their limits, its matrices and what builds it.
 * The file is not trusted: a few bytes of metadata can ask for gigabytes. So the sizes are first held against their
 * limits and against the matrices that are there, and then the model takes hardly more memory than its file.
 */
import type { Shape } from '../autograd/variable.ts';
import { FormatError } from '../errors.ts';
import type { Module } from '../nn/module.ts';
import { type Checkpoint, onFile, requireKind, restoreParameters } from './checkpoint.ts';
import { type Field, readFields } from './fields.ts';

/** The entry of a table that has one for each kind of model. @throws FormatError for a kind that it does not have */
export function entryOf<T>(checkpoint: Checkpoint, table: ReadonlyMap<string, T>): T {
  requireKind(checkpoint, ...table.keys());
  return table.get(checkpoint.kind) as T;
}

/** How a kind of model is read from its file: one record for each kind. */
export interface ModelFormat<M extends Module, S> {
  readonly kind: string;
  /** The sizes in the file, each with its limits. */
  readonly sizes: { readonly [K in keyof S]: Field<S[K]> };
  /** The shapes of the model's matrices. They bound what a model of these sizes takes by what the file holds. */
  shapes(sizes: S): Iterable<readonly [name: string, shape: Shape]>;
  /** The model, of any values. */
  create(sizes: S): M;
}

/**
 * The model in a file that was read. Nothing is built before the sizes are found within their limits, and all
 * matrices of a model of those sizes in the file.
 * @throws FormatError for a file of another kind, sizes out of range, or tensors that do not fit
 */
export function readModel<M extends Module, S>(checkpoint: Checkpoint, format: ModelFormat<M, S>): M {
  const { source, parameters } = checkpoint;
  requireKind(checkpoint, format.kind);
  const sizes = readFields(checkpoint.sizes, format.sizes, `${source}: sizes`) as S;
  for (const [name, shape] of format.shapes(sizes)) {
    const got = parameters.get(name)?.shape;
    if (got?.join() === shape.join()) continue;
    const found = got ? `[${got}]` : 'none';
    throw new FormatError(`${source}: expected a tensor "${name}" of shape [${shape}], got ${found}`);
  }
  const model = onFile(source, () => format.create(sizes));
  try {
    restoreParameters(model, checkpoint);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
