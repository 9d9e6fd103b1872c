/**
 * Labels as rows with 1 at the label and 0 elsewhere. A matrix product with such a row selects a column of the matrix.
 * Labels have no gradient.
 */
import { ValueError } from '../errors.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** [labels.length, classes]. @throws ValueError for a label that is not a whole number from 0 to classes - 1 */
export function oneHot(labels: ArrayLike<number>, classes: number): Tensor {
  const rows = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new ValueError(`oneHot: expected labels from 0 to ${classes - 1}, got ${label}`);
    }
    rows[i * classes + label] = 1;
  }
  return tensor(rows, [labels.length, classes]);
}
