/**
 * Tensors as a data set: sample i is row i of each tensor, as in `torch.utils.data.TensorDataset`. The tensors belong
 * to the caller and are not copied.
 */
import { noGrad } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { requireTensor, type Tensor } from '../tensor/tensor.ts';

/** Tensors with the same number of rows as a data set. Sample i is row i of each tensor. */
export class TensorDataset {
  /** The name in messages. */
  readonly name = 'tensors';
  /** The number of rows. */
  readonly length: number;
  readonly tensors: readonly Tensor[];

  /**
   * @param tensors each `[length, ...]`
   * @throws ValueError if there is no tensor, or an argument is not a tensor
   * @throws ShapeError for scalars, or for different numbers of rows
   */
  constructor(...tensors: Tensor[]) {
    if (tensors.length === 0) throw new ValueError('TensorDataset: expected at least one tensor, got none');
    for (const x of tensors) {
      requireTensor('TensorDataset', x);
      if (x.rank === 0) throw new ShapeError('TensorDataset: expected tensors with rows, got a scalar');
    }
    const rows = tensors.map(({ shape }) => shape[0]);
    if (new Set(rows).size > 1) {
      throw new ShapeError(`TensorDataset: expected equal numbers of rows, got ${rows.join(', ')}`);
    }
    this.tensors = tensors;
    this.length = rows[0];
  }

  /**
   * Row i of each tensor, without the first dimension. Rows are copies, outside the graph.
   * @throws ValueError for an index that is not in [0, length)
   */
  at(i: number): Tensor[] {
    return this.rows([i]).map((x) => x.reshape(x.shape.slice(1)));
  }

  /**
   * The rows with these indices, `[indices.length, ...]` of each tensor. Rows are copies, outside the graph.
   * @throws ValueError for an index that is not in [0, length)
   */
  rows(indices: ArrayLike<number>): Tensor[] {
    return noGrad(() => this.tensors.map((x) => x.indexSelect(0, indices)));
  }
}
