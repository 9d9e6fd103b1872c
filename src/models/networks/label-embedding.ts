/**
 * The condition vector of diffusion networks, [batch, condition]. It combines the time and the label of each picture:
 *
 *     c = time embedding of t + column of the label in a matrix
 *
 * The matrix has one more column than there are classes. The last column means "no label", for classifier-free
 * guidance. A product with a one-hot row selects the column. With 11 numbers per picture another method would not be
 * faster.
 *
 * Source of the null label: Ho and Salimans, "Classifier-free diffusion guidance" (2021).
 */
import type { Labels } from '../../diffusion/guidance.ts';
import { ShapeError, ValueError } from '../../errors.ts';
import { Linear } from '../../nn/linear.ts';
import { oneHot } from '../../nn/one-hot.ts';
import type { TimeEmbedding } from '../../nn/time-embedding.ts';
import type { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The label matrix, [condition, classes + 1]; null for a network without classes. */
export function labelMatrix(classes: number, condition: number, rng: Rng): Linear | null {
  return classes > 0 ? new Linear(classes + 1, condition, { bias: false, rng }) : null;
}

/**
 * The condition vector c, as defined at the top of this file.
 * @param kind the name of the network in errors
 * @param labels one per picture, null for no label; absent: no picture has a label
 * @throws ShapeError for another number of times or labels, ValueError for labels that the network does not have
 */
export function embedCondition(
  kind: string,
  { time, label }: { readonly time: TimeEmbedding; readonly label: Linear | null },
  batch: number,
  t: ArrayLike<number>,
  labels?: Labels,
): Tensor {
  if (t.length !== batch) {
    throw new ShapeError(`${kind}: expected ${batch} times, one per picture, got ${t.length}`);
  }
  const c = time.forward(t);
  if (label) return c.add(label.forward(labelRows(kind, labels ?? Array(batch).fill(null), batch, label)));
  if (labels?.some((given) => given !== null)) {
    throw new ValueError(`${kind}: expected no labels for a model without classes, got labels`);
  }
  return c;
}

/** One-hot rows of the labels. */
function labelRows(kind: string, labels: Labels, batch: number, { inFeatures }: Linear): Tensor {
  const classes = inFeatures - 1;
  if (labels.length !== batch) {
    throw new ShapeError(`${kind}: expected ${batch} labels, one per picture, got ${labels.length}`);
  }
  const wrong = labels.find(
    (given) => given !== null && !(Number.isInteger(given) && given >= 0 && given < classes),
  );
  if (wrong !== undefined) {
    throw new ValueError(`${kind}: expected labels from 0 to ${classes - 1}, got ${wrong}`);
  }
  return oneHot(
    labels.map((given) => given ?? classes),
    inFeatures,
  );
}
