/**
 * An MLP classifier. Its input is a picture as a row of height·width·channels numbers:
 *
 *     Linear(numbers, 800)  ReLU  Linear(800, 400)  ReLU  Linear(400, 64)  ReLU  Linear(64, classes)
 *
 * The 64 numbers before the last layer are its features. It is trained by training/classifier.ts.
 *
 * Left out on purpose: convolutions (see conv-classifier.ts), dropout, and elastic distortions (Simard, Steinkraus and
 * Platt 2003).
 */
import type { ModelFormat } from '../../checkpoint/model-format.ts';
import { pictureSize } from '../../data/dataset.ts';
import { Linear } from '../../nn/linear.ts';
import { withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  CLASSIFIER_DEFAULTS,
  CLASSIFIER_FIELDS,
  type ClassifierOptions,
  type ClassifierSizes,
  FEATURES,
  PictureClassifier,
} from './picture-classifier.ts';
import { pictureRows } from './pictures.ts';

const HIDDEN = [800, 400] as const;

const KIND = 'classifier';

/**
 * A classifier of pictures by linear layers: `first`, `second` and `third` from the picture to its features, and `last`
 * from the features to logits.
 */
export class Classifier extends PictureClassifier {
  /** The kind of this model in a checkpoint. */
  static readonly kind = KIND;
  readonly kind = KIND;
  readonly first: Linear;
  readonly second: Linear;
  readonly third: Linear;
  readonly last: Linear;

  readonly sizes: ClassifierSizes;

  /** @throws ValueError for sizes that are not whole numbers >= 1 */
  constructor(sizes: ClassifierOptions, rng: Rng = sharedRng()) {
    super();
    this.sizes = withDefaults(Classifier.kind, sizes, CLASSIFIER_DEFAULTS);
    const { classes } = this.sizes;
    this.first = new Linear(pictureSize(this.sizes), HIDDEN[0], { rng });
    this.second = new Linear(HIDDEN[0], HIDDEN[1], { rng });
    this.third = new Linear(HIDDEN[1], FEATURES, { rng });
    this.last = new Linear(FEATURES, classes, { rng });
  }

  get description(): string {
    return [pictureSize(this.sizes), ...HIDDEN, FEATURES, this.sizes.classes].join('-');
  }

  override features(x: Tensor): Tensor {
    const rows = pictureRows(Classifier.kind, x, this.sizes);
    return this.third.forward(this.second.forward(this.first.forward(rows, 'relu'), 'relu'), 'relu');
  }
}

export const CLASSIFIER_FORMAT: ModelFormat<Classifier, ClassifierSizes> = {
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
