/**
 * How well a classifier names the pictures of a set: its confusion matrix, and the pictures that it names wrong. The
 * worst mistake is the one that gives the picture's own label the least probability.
 */
import type { Dataset } from '../../data/dataset.ts';
import { ShapeError, ValueError } from '../../errors.ts';
import { exp, log } from '../../math.ts';
import { classify, type PictureClassifier, pixelsOf, requireFit } from '../networks/picture-classifier.ts';

/** A picture that is named wrong. */
export interface Mistake {
  /** Its index in the set. */
  readonly picture: number;
  /** Its label. */
  readonly given: number;
  readonly predicted: number;
  /** What the classifier gives its label. */
  readonly probability: number;
}

/** One class of the set. */
export interface ClassFigures {
  readonly label: number;
  readonly pictures: number;
  /** The share of its pictures that are named so; null where it has none. */
  readonly recall: number | null;
  /** The share of the pictures named so that are of it; null where none are. */
  readonly precision: number | null;
}

/** What is known of a classifier after a set of labelled pictures. */
export interface Classification {
  /** The share of all pictures that are named right. */
  readonly accuracy: number;
  /** Pictures by label (row) and by the class that was predicted (column). */
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly ClassFigures[];
  /** All of them, the worst first. */
  readonly mistakes: readonly Mistake[];
}

/**
 * How many pictures of each label (row) were predicted to be of each class (column).
 * @throws ShapeError unless there is one prediction a label, ValueError for one that is no class
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  if (labels.length !== predicted.length) {
    throw new ShapeError(
      `confusionMatrix: expected ${labels.length} predictions, one a label, got ${predicted.length}`,
    );
  }
  const isClass = (n: number) => Number.isInteger(n) && n >= 0 && n < classes;
  for (const [i, label] of Array.from(labels).entries()) {
    const bad = [label, predicted[i]].find((n) => !isClass(n));
    if (bad !== undefined) {
      throw new ValueError(
        `confusionMatrix: expected labels and predictions from 0 to ${classes - 1}, got ${bad} at ${i}`,
      );
    }
  }
  const matrix = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) matrix[labels[i]][predicted[i]]++;
  return matrix;
}

/**
 * The confusion matrix, recall, precision and mistakes of a classifier on a set.
 * @throws ShapeError for pictures that are not of the model's size
 */
export function classification(model: PictureClassifier, dataset: Dataset): Classification {
  requireFit(model, dataset);
  const { classes: predicted, logits } = classify(model, pixelsOf(dataset));
  const { classes } = model.sizes;
  const { labels, length } = dataset;
  const confusion = confusionMatrix(labels, predicted, classes);
  const wrong = Array.from(labels.keys()).filter((i) => predicted[i] !== labels[i]);
  const loss = (i: number) => lossOf(logits.subarray(i * classes, (i + 1) * classes), labels[i]);
  const mistakes = wrong
    .map((i) => ({ i, loss: loss(i) }))
    .sort((a, b) => b.loss - a.loss || a.i - b.i)
    .map(({ i, loss }) => {
      return { picture: i, given: labels[i], predicted: predicted[i], probability: exp(-loss) };
    });
  return {
    accuracy: (length - wrong.length) / length,
    confusion,
    classes: figuresOf(confusion),
    mistakes,
  };
}

/** -ln softmax(logits)[label]. */
function lossOf(logits: Float64Array, label: number): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  return most + log(logits.reduce((sum, logit) => sum + exp(logit - most), 0)) - logits[label];
}

function figuresOf(confusion: readonly (readonly number[])[]): ClassFigures[] {
  const share = (of: number, all: number) => (all === 0 ? null : of / all);
  return confusion.map((row, label) => {
    const pictures = row.reduce((sum, n) => sum + n, 0);
    const named = confusion.reduce((sum, other) => sum + other[label], 0);
    const right = row[label];
    return { label, pictures, recall: share(right, pictures), precision: share(right, named) };
  });
}
