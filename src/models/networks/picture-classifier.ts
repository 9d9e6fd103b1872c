/**
 * What every classifier of clean pictures is: [b, height, width, channels] in [0, 1] to features [b, FEATURES], and those
 * to logits [b, classes] by its last layer. Samples are judged by it: its classes say what they show, and distances
 * between features how far they are from real pictures. How a classifier gets to its features is its own.
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

export interface ClassifierSizes extends PictureShape {
  readonly classes: number;
}

/** Sizes as a caller gives them. */
export interface ClassifierOptions extends Omit<ClassifierSizes, 'channels'> {
  /** 1 by default. */
  readonly channels?: number;
}

/** Numbers that a picture is described by. */
export const FEATURES = 64;
const BATCH = 250;

/** Of the classifiers' sizes. */
export const CLASSIFIER_DEFAULTS = {
  height: undefined,
  width: undefined,
  channels: 1,
  classes: undefined,
} as const satisfies Defaults<ClassifierOptions>;

/** The sizes in a classifier's file. */
export const CLASSIFIER_FIELDS = { ...PICTURE_FIELDS, classes: whole(1, MOST_CLASSES) };

/** A classifier of pictures: features, and a last layer that makes logits of them. */
export abstract class PictureClassifier extends Layer {
  /** What a checkpoint calls this kind of classifier. */
  abstract readonly kind: string;
  abstract readonly sizes: ClassifierSizes;
  /** From features to logits. */
  abstract readonly last: Layer;

  /** What it is made of, for people: `784-800-400-64-10`. */
  abstract get description(): string;

  /** [b, height, width, channels] to [b, FEATURES]. @throws ShapeError */
  abstract features(x: Tensor): Tensor;

  /** Logits [b, classes]. */
  override forward(x: Tensor): Tensor {
    return this.last.forward(this.features(x));
  }
}

/** What a classifier says of pictures. */
export interface Classified {
  readonly classes: Uint8Array;
  /** [n, FEATURES] */
  readonly features: Float64Array;
  /** [n, classes] */
  readonly logits: Float64Array;
}

/**
 * What the classifier says of pictures in [0, 1], [n, height, width, channels], in evaluation mode.
 * @throws ShapeError for numbers that are no whole pictures
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

/** All pictures of a set in [0, 1]. */
export const pixelsOf = ({ images }: Dataset): Float32Array =>
  Float32Array.from(images, (byte) => byte / 255);

/** @throws ShapeError for a set whose pictures are not of the model's size */
export function requireFit(model: PictureClassifier, dataset: Dataset): void {
  const [expected, got] = [pictureName(model.sizes), pictureName(dataset)];
  if (got !== expected) {
    throw new ShapeError(`${model.kind}: expected pictures of ${expected}, got ${dataset.name} with ${got}`);
  }
}

/**
 * The share of a set's pictures whose class is found.
 * @throws ShapeError for pictures that are not of the model's size
 */
export function accuracy(model: PictureClassifier, dataset: Dataset): number {
  requireFit(model, dataset);
  const { classes } = classify(model, pixelsOf(dataset));
  return classes.filter((found, i) => found === dataset.labels[i]).length / dataset.length;
}
