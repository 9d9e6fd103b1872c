/**
 * Reads a model from its file. A record for each kind of model has the limits of its sizes, its matrices, and the
 * function that creates it. The file is not trusted: a few bytes of metadata could demand gigabytes. So two checks come
 * first. The sizes must be within their limits, and the file must have all matrices of a model of these sizes. Then the
 * model needs little more memory than its file.
 */
import type { Shape } from '../autograd/variable.ts';
import { FormatError } from '../errors.ts';
import type { Module } from '../nn/module.ts';
import { type Checkpoint, onFile, requireKind, restoreParameters } from './checkpoint.ts';
import { type Field, readFields } from './fields.ts';

/** The table's entry for the checkpoint's kind of model. @throws FormatError for a kind that is not in the table */
export function entryOf<T>(checkpoint: Checkpoint, table: ReadonlyMap<string, T>): T {
  requireKind(checkpoint, ...table.keys());
  return table.get(checkpoint.kind) as T;
}

/** The record of one kind of model, by which it is read from a file. */
export interface ModelFormat<M extends Module, S> {
  readonly kind: string;
  /** The sizes in the file, each with its limits. */
  readonly sizes: { readonly [K in keyof S]: Field<S[K]> };
  /** The shapes of the model's matrices. The file must have them, so its size bounds the size of the model. */
  shapes(sizes: S): Iterable<readonly [name: string, shape: Shape]>;
  /** Creates the model with any values. */
  create(sizes: S): M;
}

/**
 * The model in a file that was read. It is created only after both checks (see the header of this file).
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
