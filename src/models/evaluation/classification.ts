/**
 * The performance of a classifier on a labelled data set: its accuracy, its confusion matrix, and its mistakes. The
 * worst mistake is the picture whose label has the lowest predicted probability.
 */
import type { Dataset } from '../../data/dataset.ts';
import { ShapeError, ValueError } from '../../errors.ts';
import { exp, log } from '../../math.ts';
import { classify, type PictureClassifier, pixelsOf, requireFit } from '../networks/picture-classifier.ts';

/** A picture that is classified wrong. */
export interface Mistake {
  /** Its index in the set. */
  readonly picture: number;
  /** Its label. */
  readonly given: number;
  /** The class with the highest probability. */
  readonly predicted: number;
  /** The predicted probability of its label. */
  readonly probability: number;
}

/** One class of the set. */
export interface ClassFigures {
  /** The class. */
  readonly label: number;
  /** The number of its pictures. */
  readonly pictures: number;
  /** The fraction of the class's pictures that are predicted right. Null if the class has no pictures. */
  readonly recall: number | null;
  /** The fraction of the predictions of this class that are right. Null if there are no such predictions. */
  readonly precision: number | null;
}

/** The performance of a classifier on a labelled data set. */
export interface Classification {
  /** The fraction of all pictures that are classified right. */
  readonly accuracy: number;
  /** The number of pictures by label (row) and by predicted class (column). */
  readonly confusion: readonly (readonly number[])[];
  /** The figures of each class, [classes]. */
  readonly classes: readonly ClassFigures[];
  /** All mistakes, the worst first. */
  readonly mistakes: readonly Mistake[];
}

/**
 * The number of pictures by label (row) and by predicted class (column), [classes][classes].
 * @throws ShapeError unless there is one prediction per label
 * @throws ValueError for a label or a prediction that is not a whole number from 0 to classes - 1
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  if (labels.length !== predicted.length) {
    throw new ShapeError(
      `confusionMatrix: expected ${labels.length} predictions, one per label, got ${predicted.length}`,
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
 * @throws ShapeError for pictures that do not have the model's size
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
