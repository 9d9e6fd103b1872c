/**
 * A table of vectors, with one row for each index: indices [...] to [..., features]. The initial values are standard
 * normals, as in PyTorch. The gradient of a row is summed over all places that used the row.
 *
 * Left out on purpose: sparse gradients, a row for padding, and rescaling by the norm.
 */
import { ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import { flatten, type Nested } from '../tensor/format.ts';
import { checkIndices, type Indices } from '../tensor/indexing.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { normalParameter } from './init.ts';
import { Module } from './module.ts';

/**
 * A table of vectors, with one row for each index: indices [...] to [..., features]. The initial values are standard
 * normals. There is no row for padding.
 */
export class Embedding extends Module {
  /** [count, features] */
  readonly weight: Tensor;

  /**
   * @param count the number of rows of the table
   * @param features the length of a row
   * @param options `rng`: the generator for the initial values
   * @throws ValueError for sizes that are not whole numbers >= 1
   */
  constructor(
    readonly count: number,
    readonly features: number,
    options: { readonly rng?: Rng } = {},
  ) {
    super();
    const { rng } = withDefaults('Embedding', options, { rng: sharedRng() });
    for (const n of [count, features]) {
      if (!Number.isInteger(n) || n < 1) {
        throw new ValueError(`Embedding: expected sizes >= 1, got ${count} and ${features}`);
      }
    }
    this.weight = normalParameter([count, features], rng);
  }

  /**
   * Selects the rows with the given indices.
   * @param indices an Int32Array, or numbers in arrays nested to any depth; the result's shape begins with their shape
   * @throws ValueError for an index that is not in [0, count)
   */
  forward(indices: Indices | Nested): Tensor {
    const nested = Array.isArray(indices) ? flatten(indices as Nested) : null;
    const rows = checkIndices('Embedding', nested?.values ?? (indices as Indices), this.count);
    const taken = this.weight.indexSelect(0, rows);
    return nested ? taken.reshape([...nested.shape, this.features]) : taken;
  }
}
