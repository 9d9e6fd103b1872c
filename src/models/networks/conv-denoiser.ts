/**
 * A convolutional denoiser, an alternative to the lecture's MLP: from a noisy picture [b, h, w, c] to the picture
 * without noise, of the same shape. It is a small U-Net of residual blocks. For pictures of 28x28:
 *
 *     a = 5x5, stride 2       14x14x32
 *     b = 3x3, stride 2       7x7x64
 *     b = b + 3x3(b)          7x7x64, twice
 *     a = a + 3x3(upsample b) 14x14x32
 *     a = a + 3x3(a)          14x14x32
 *     3x3 to 4·c channels, which are four pixels each, and a sigmoid
 *
 * Each convolution except the last is followed by group normalisation and SiLU (conv-block.ts). `upsample` repeats each
 * pixel in a square of four. If the target map has odd sides, the extra row or column is cut off. The network is
 * trained by training/denoiser.ts.
 *
 * Source: Ronneberger et al., "U-Net" (2015); Shi et al., "Real-time super-resolution by sub-pixel convolution" (2016)
 * for the last layer. Left out on purpose: maps of the full size, because they would need most of the time.
 */
import type { ModelFormat } from '../../checkpoint/model-format.ts';
import { type PictureShape, pictureName } from '../../data/dataset.ts';
import { Conv2d } from '../../nn/conv.ts';
import { type Defaults, withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import { pixelShuffle } from '../../tensor/pool.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type ConvBlock, convBlock, upsampleBlock } from './conv-block.ts';
import { PICTURE_FIELDS } from './limits.ts';
import { PictureDenoiser } from './picture-denoiser.ts';
import { checkPictures } from './pictures.ts';

/** The sizes of a `ConvDenoiser`. */
export interface ConvDenoiserOptions extends Omit<PictureShape, 'channels'> {
  /** Default 1. */
  readonly channels?: number;
}

const DEFAULTS = {
  height: undefined,
  width: undefined,
  channels: 1,
} as const satisfies Defaults<ConvDenoiserOptions>;

const KIND = 'conv-denoiser';
/** The numbers of channels at half of the size, and at a quarter. */
const [WIDE, DEEP] = [32, 64];
/** The number of residual blocks at a quarter of the size. */
const MIDDLE = 2;

/** A convolutional denoiser of pictures: a small U-Net. */
export class ConvDenoiser extends PictureDenoiser {
  /** The kind of this model in a checkpoint. */
  static readonly kind = KIND;
  readonly kind = KIND;
  readonly sizes: PictureShape;
  /** The picture to half of its size, 32 channels. */
  readonly half: ConvBlock;
  /** From half to a quarter of the size, 64 channels. */
  readonly quarter: ConvBlock;
  /** The residual convolutions at a quarter of the size. */
  readonly middle: readonly ConvBlock[];
  /** Upsampling and a convolution, from a quarter to half of the size. */
  readonly up: ConvBlock;
  /** The residual convolution at half of the size. */
  readonly merged: ConvBlock;
  /** From half of the size to four pixels for each place. */
  readonly last: Conv2d;

  /**
   * Initial values as in `Conv2d`.
   * @param sizes height and width of the pictures, and their channels (1 by default)
   */
  constructor(sizes: ConvDenoiserOptions, rng: Rng = sharedRng()) {
    super();
    this.sizes = withDefaults(KIND, sizes, DEFAULTS);
    const { channels } = this.sizes;
    const block = (from: number, to: number, kernel: number, stride: number) =>
      convBlock(from, to, { kernel, stride, rng });
    this.half = block(channels, WIDE, 5, 2);
    this.quarter = block(WIDE, DEEP, 3, 2);
    this.middle = Array.from({ length: MIDDLE }, () => block(DEEP, DEEP, 3, 1));
    this.up = upsampleBlock(DEEP, WIDE, rng);
    this.merged = block(WIDE, WIDE, 3, 1);
    this.last = new Conv2d(WIDE, 4 * channels, 3, { padding: 1, rng });
  }

  get description(): string {
    return `U-Net of ${WIDE} channels at half of the size and ${DEEP} at a quarter`;
  }

  get takes(): string {
    return pictureName(this.sizes);
  }

  override fits(pictures: PictureShape): boolean {
    return pictureName(pictures) === this.takes;
  }

  /** The denoised pictures, of x's shape, with values in (0, 1). @throws ShapeError for another shape of x */
  override forward(x: Tensor): Tensor {
    checkPictures(KIND, x, this.sizes);
    const half = this.half.forward(x);
    const quarter = this.middle.reduce((z, block) => z.add(block.forward(z)), this.quarter.forward(half));
    const merged = half.add(cut(this.up.forward(quarter), half));
    const whole = this.last.forward(merged.add(this.merged.forward(merged)), 'sigmoid');
    return cut(pixelShuffle(whole, 2), x);
  }
}

/** The upper left part of the map, with the height and width of `like`. */
function cut(x: Tensor, like: Tensor): Tensor {
  const [b, height, width] = like.shape;
  if (x.shape[1] === height && x.shape[2] === width) return x;
  return x.slice([0, 0, 0, 0], [b, height, width, x.shape[3]]);
}

export const CONV_DENOISER_FORMAT: ModelFormat<ConvDenoiser, PictureShape> = {
  kind: KIND,
  sizes: PICTURE_FIELDS,
  shapes: ({ channels }) => [
    ['half.conv.weight', [WIDE, 5, 5, channels]],
    ['quarter.conv.weight', [DEEP, 3, 3, WIDE]],
    ...Array.from({ length: MIDDLE }, (_, i): [string, number[]] => {
      return [`middle.${i}.conv.weight`, [DEEP, 3, 3, DEEP]];
    }),
    ['up.conv.weight', [WIDE, 3, 3, DEEP]],
    ['merged.conv.weight', [WIDE, 3, 3, WIDE]],
    ['last.weight', [4 * channels, 3, 3, WIDE]],
  ],
  create: (sizes) => new ConvDenoiser(sizes, new Rng(0)),
};
