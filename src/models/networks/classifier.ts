/**
 * A classifier of small pictures, [b, height, width, channels] in [0, 1] to logits [b, classes], by which samples
 * are judged. It sees a picture as a row of height·width·channels numbers:
 *
 *     Linear(numbers, 800)  ReLU  Linear(800, 400)  ReLU  Linear(400, 64)  ReLU  Linear(64, classes)
 *
 * The 64 numbers before the last layer are its features. It is trained by training/classifier.ts.
 *
 * Left out on purpose: convolutions, dropout, elastic distortions (Simard, Steinkraus and Platt 2003 have those).
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { whole } from '../../checkpoint/fields.ts';
import { type ModelFormat, readModel } from '../../checkpoint/model-format.ts';
import { type Dataset, type PictureShape, pictureSize } from '../../data/dataset.ts';
import { Linear } from '../../nn/linear.ts';
import { Layer } from '../../nn/module.ts';
import { type Defaults, withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { MOST_CLASSES, PICTURE_FIELDS } from './limits.ts';
import { pictureRows } from './pictures.ts';

export interface ClassifierSizes extends PictureShape {
  readonly classes: number;
}

/** Sizes as a caller gives them. */
export interface ClassifierOptions extends Omit<ClassifierSizes, 'channels'> {
  /** 1 by default. */
  readonly channels?: number;
}

const HIDDEN = [800, 400] as const;
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

export class Classifier extends Layer {
  /** What a checkpoint calls this model. */
  static readonly kind = 'classifier';
  readonly first: Linear;
  readonly second: Linear;
  readonly third: Linear;
  readonly last: Linear;

  readonly sizes: ClassifierSizes;

  constructor(sizes: ClassifierOptions, rng: Rng = sharedRng()) {
    super();
    this.sizes = withDefaults(Classifier.kind, sizes, CLASSIFIER_DEFAULTS);
    const { classes } = this.sizes;
    this.first = new Linear(pictureSize(this.sizes), HIDDEN[0], { rng });
    this.second = new Linear(HIDDEN[0], HIDDEN[1], { rng });
    this.third = new Linear(HIDDEN[1], FEATURES, { rng });
    this.last = new Linear(FEATURES, classes, { rng });
  }

  /** [b, height, width, channels] to [b, FEATURES]. @throws ShapeError */
  features(x: Tensor): Tensor {
    const rows = pictureRows(Classifier.kind, x, this.sizes);
    return this.third.forward(this.second.forward(this.first.forward(rows, 'relu'), 'relu'), 'relu');
  }

  /** Logits [b, classes]. */
  override forward(x: Tensor): Tensor {
    return this.last.forward(this.features(x));
  }
}

/** What the classifier says of pictures in [0, 1]: for each its class and its features. */
export function classify(
  model: Classifier,
  pictures: Float32Array | Float64Array,
): { classes: Uint8Array; features: Float64Array } {
  const { height, width, channels } = model.sizes;
  const size = pictureSize(model.sizes);
  const n = pictures.length / size;
  const classes = new Uint8Array(n);
  const features = new Float64Array(n * FEATURES);
  for (let from = 0; from < n; from += BATCH) {
    const to = Math.min(n, from + BATCH);
    scope(() =>
      noGrad(() => {
        const part = pictures.subarray(from * size, to * size);
        const seen = model.features(tensor(part, [to - from, height, width, channels]));
        features.set(seen.toTypedArray(), from * FEATURES);
        classes.set(model.last.forward(seen).argmax(1), from);
      }),
    );
  }
  return { classes, features };
}

/** All pictures of a set in [0, 1]. */
export const pixelsOf = ({ images }: Dataset): Float32Array =>
  Float32Array.from(images, (byte) => byte / 255);

/** The share of a set's pictures whose class is found. */
export function accuracy(model: Classifier, dataset: Dataset): number {
  const { classes } = classify(model, pixelsOf(dataset));
  return classes.filter((found, i) => found === dataset.labels[i]).length / dataset.length;
}

/** The sizes in a classifier's file. */
export const CLASSIFIER_FIELDS = { ...PICTURE_FIELDS, classes: whole(1, MOST_CLASSES) };

const FORMAT: ModelFormat<Classifier, ClassifierSizes> = {
  kind: Classifier.kind,
  sizes: CLASSIFIER_FIELDS,
  shapes: (sizes) => [
    ['first.weight', [HIDDEN[0], pictureSize(sizes)]],
    ['second.weight', [HIDDEN[1], HIDDEN[0]]],
    ['third.weight', [FEATURES, HIDDEN[1]]],
    ['last.weight', [sizes.classes, FEATURES]],
  ],
  create: (sizes) => new Classifier(sizes, new Rng(0)),
};

/** The classifier in a file that was read. @throws FormatError for a file of anything else */
export const classifierOf = (checkpoint: Checkpoint): Classifier => readModel(checkpoint, FORMAT);
