/**
 * The base class of classifiers of clean pictures: from [b, height, width, channels] in [0, 1] to features [b,
 * FEATURES], and by a last layer to logits [b, classes]. Evaluation uses a classifier to judge samples. The predicted
 * classes say which digits the samples show. Distances between features measure how far samples are from real pictures.
 * Subclasses define how to compute the features.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { whole } from '../../checkpoint/fields.ts';
import { type Dataset, type PictureShape, pictureName, pictureSize } from '../../data/dataset.ts';
import { ShapeError } from '../../errors.ts';
import { Layer } from '../../nn/module.ts';
import type { Defaults } from '../../options.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { MOST_CLASSES, PICTURE_FIELDS } from './limits.ts';

/** The sizes of a classifier: those of its pictures, and its number of classes. */
export interface ClassifierSizes extends PictureShape {
  /** The number of classes. */
  readonly classes: number;
}

/** The sizes of a classifier, as options of its constructor. */
export interface ClassifierOptions extends Omit<ClassifierSizes, 'channels'> {
  /** Default 1. */
  readonly channels?: number;
}

/** The number of features of a picture. */
export const FEATURES = 64;
const BATCH = 250;

/** The defaults of the classifiers' sizes. */
export const CLASSIFIER_DEFAULTS = {
  height: undefined,
  width: undefined,
  channels: 1,
  classes: undefined,
} as const satisfies Defaults<ClassifierOptions>;

/** The sizes in a classifier's file. */
export const CLASSIFIER_FIELDS = { ...PICTURE_FIELDS, classes: whole(1, MOST_CLASSES) };

/** A classifier of pictures: features, and a last layer from features to logits. */
export abstract class PictureClassifier extends Layer {
  /** The kind of this classifier in a checkpoint. */
  abstract readonly kind: string;
  /** The sizes that it was made with. */
  abstract readonly sizes: ClassifierSizes;
  /** From features to logits. */
  abstract readonly last: Layer;

  /** A short text on the architecture, such as `784-800-400-64-10`. */
  abstract get description(): string;

  /** [b, height, width, channels] to [b, FEATURES]. @throws ShapeError */
  abstract features(x: Tensor): Tensor;

  /** Logits [b, classes]. */
  override forward(x: Tensor): Tensor {
    return this.last.forward(this.features(x));
  }
}

/** The results of a classifier for n pictures. */
export interface Classified {
  /** [n], the class with the largest logit. */
  readonly classes: Uint8Array;
  /** [n, FEATURES] */
  readonly features: Float64Array;
  /** [n, classes] */
  readonly logits: Float64Array;
}

/**
 * Features and logits of pictures in [0, 1], [n, height, width, channels], in evaluation mode.
 * @throws ShapeError if the numbers are not a whole number of pictures
 */
export function classify(model: PictureClassifier, pictures: Float32Array | Float64Array): Classified {
  const { height, width, channels } = model.sizes;
  const size = pictureSize(model.sizes);
  const n = pictures.length / size;
  if (!Number.isInteger(n)) {
    throw new ShapeError(
      `${model.kind}: expected pictures of ${size} numbers, got ${pictures.length} numbers`,
    );
  }
  const classes = new Uint8Array(n);
  const features = new Float64Array(n * FEATURES);
  const logits = new Float64Array(n * model.sizes.classes);
  const classifyPart = (from: number, to: number) => {
    const part = pictures.subarray(from * size, to * size);
    const seen = model.features(tensor(part, [to - from, height, width, channels]));
    const said = model.last.forward(seen);
    features.set(seen.toTypedArray(), from * FEATURES);
    logits.set(said.toTypedArray(), from * model.sizes.classes);
    classes.set(said.argmax(1), from);
  };
  model.whileEvaluating(() => {
    for (let from = 0; from < n; from += BATCH) {
      scope(() => noGrad(() => classifyPart(from, Math.min(n, from + BATCH))));
    }
  });
  return { classes, features, logits };
}

/** The pixels of all pictures of a set, in [0, 1]. */
export const pixelsOf = ({ images }: Dataset): Float32Array =>
  Float32Array.from(images, (byte) => byte / 255);

/** Checks the size of a set's pictures. @throws ShapeError if it is not the model's */
export function requireFit(model: PictureClassifier, dataset: Dataset): void {
  const [expected, got] = [pictureName(model.sizes), pictureName(dataset)];
  if (got !== expected) {
    throw new ShapeError(`${model.kind}: expected pictures of ${expected}, got ${dataset.name} with ${got}`);
  }
}

/**
 * The accuracy on a set: the share of pictures whose predicted class is the label.
 * @throws ShapeError for pictures that do not have the model's size
 */
export function accuracy(model: PictureClassifier, dataset: Dataset): number {
  requireFit(model, dataset);
  const { classes } = classify(model, pixelsOf(dataset));
  return classes.filter((found, i) => found === dataset.labels[i]).length / dataset.length;
}
