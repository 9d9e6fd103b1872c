/**
 * Time and label of each picture as one vector, [batch, condition], as diffusion networks take them:
 *
 *     c = time embedding of t + column of the label in a matrix
 *
 * One label more than there are classes, the last, stands for "no label", for classifier-free guidance. The column is
 * taken by a product with a one-hot row: 11 numbers a picture are too few for another way to be faster.
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

/** The matrix of the labels, [condition, classes + 1]; null for a network without classes. */
export function labelMatrix(classes: number, condition: number, rng: Rng): Linear | null {
  return classes > 0 ? new Linear(classes + 1, condition, { bias: false, rng }) : null;
}

/**
 * c of the file's header.
 * @param kind names the network in errors
 * @param labels one a picture, null for none; absent: no picture has a label
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
    throw new ShapeError(`${kind}: expected ${batch} times, one a picture, got ${t.length}`);
  }
  const c = time.forward(t);
  if (label) return c.add(label.forward(labelRows(kind, labels ?? Array(batch).fill(null), batch, label)));
  if (labels?.some((given) => given !== null)) {
    throw new ValueError(`${kind}: expected no labels, as the model knows no classes`);
  }
  return c;
}

/** One-hot rows of the labels. */
function labelRows(kind: string, labels: Labels, batch: number, { inFeatures }: Linear): Tensor {
  const classes = inFeatures - 1;
  if (labels.length !== batch) {
    throw new ShapeError(`${kind}: expected ${batch} labels, one a picture, got ${labels.length}`);
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
