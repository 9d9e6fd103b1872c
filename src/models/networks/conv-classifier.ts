/**
 * A convolutional classifier of small pictures, [b, height, width, channels] in [0, 1] to logits [b, classes]. For
 * pictures of 28x28:
 *
 *     5x5, stride 2   14x14x32
 *     3x3             14x14x32
 *     3x3, stride 2     7x7x64
 *     3x3               7x7x64
 *     Linear(3136, 64)  ReLU  Linear(64, classes)
 *
 * Each convolution is followed by group normalisation and SiLU (conv-block.ts). The 64 numbers before the last layer
 * are its features. It is trained by training/classifier.ts.
 *
 * The weights of the first linear layer are in the order [h, w, c]. So in PyTorch, permute the map to [b, h, w, c]
 * before you flatten it. Left out on purpose: pooling, dropout, residual connections.
 */
import type { ModelFormat } from '../../checkpoint/model-format.ts';
import { Flatten } from '../../nn/flatten.ts';
import { Linear } from '../../nn/linear.ts';
import { withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type ConvBlock, convBlock, strided } from './conv-block.ts';
import {
  CLASSIFIER_DEFAULTS,
  CLASSIFIER_FIELDS,
  type ClassifierOptions,
  type ClassifierSizes,
  FEATURES,
  PictureClassifier,
} from './picture-classifier.ts';
import { checkPictures } from './pictures.ts';

/** The convolutions: channels of the result, kernel and stride. */
const CONVOLUTIONS = [
  [32, 5, 2],
  [32, 3, 1],
  [64, 3, 2],
  [64, 3, 1],
] as const;

const KIND = 'conv-classifier';

/** The number of values in the last map. */
function mapSize({ height, width }: ClassifierSizes): number {
  const side = (from: number) => CONVOLUTIONS.reduce((now, [, , stride]) => strided(now, stride), from);
  return side(height) * side(width) * CONVOLUTIONS[CONVOLUTIONS.length - 1][0];
}

/** The input channels of each convolution. */
const inputsOf = ({ channels }: ClassifierSizes) => [channels, ...CONVOLUTIONS.map(([out]) => out)];

/** A convolutional classifier of pictures. */
export class ConvClassifier extends PictureClassifier {
  /** The kind of this model in a checkpoint. */
  static readonly kind = KIND;
  readonly kind = KIND;
  readonly sizes: ClassifierSizes;
  /** The four convolutions, each with group normalisation and SiLU. */
  readonly blocks: readonly ConvBlock[];
  /** From the last map to the features. */
  readonly dense: Linear;
  readonly last: Linear;

  /**
   * Initial values as in `Conv2d` and `Linear`.
   * @param sizes height and width of the pictures, their channels (1 by default), and the number of classes
   */
  constructor(sizes: ClassifierOptions, rng: Rng = sharedRng()) {
    super();
    this.sizes = withDefaults(KIND, sizes, CLASSIFIER_DEFAULTS);
    const inputs = inputsOf(this.sizes);
    this.blocks = CONVOLUTIONS.map(([out, kernel, stride], i) =>
      convBlock(inputs[i], out, { kernel, stride, rng }),
    );
    this.dense = new Linear(mapSize(this.sizes), FEATURES, { rng });
    this.last = new Linear(FEATURES, this.sizes.classes, { rng });
  }

  get description(): string {
    const convolutions = CONVOLUTIONS.map(([out, kernel, stride]) => {
      return `${kernel}x${kernel} ${out}${stride > 1 ? ` stride ${stride}` : ''}`;
    });
    return `${convolutions.join(', ')}, then ${[mapSize(this.sizes), FEATURES, this.sizes.classes].join('-')}`;
  }

  override features(x: Tensor): Tensor {
    checkPictures(KIND, x, this.sizes);
    const map = this.blocks.reduce((z, block) => block.forward(z), x);
    return this.dense.forward(new Flatten().forward(map), 'relu');
  }
}

export const CONV_CLASSIFIER_FORMAT: ModelFormat<ConvClassifier, ClassifierSizes> = {
  kind: KIND,
  sizes: CLASSIFIER_FIELDS,
  shapes: (sizes) => [
    ...CONVOLUTIONS.map(([out, kernel], i): [string, number[]] => {
      return [`blocks.${i}.conv.weight`, [out, kernel, kernel, inputsOf(sizes)[i]]];
    }),
    ['dense.weight', [FEATURES, mapSize(sizes)]],
    ['last.weight', [sizes.classes, FEATURES]],
  ],
  create: (sizes) => new ConvClassifier(sizes, new Rng(0)),
};
