/**
 * The block of the convolutional networks: a convolution, group normalisation and SiLU,
 *
 *     [b, h, w, in] to [b, ⌈h/stride⌉, ⌈w/stride⌉, out]
 *
 * The padding is half of the kernel. The convolution has no bias, because the normalisation has one.
 */
import { Conv2d } from '../../nn/conv.ts';
import { Layer } from '../../nn/module.ts';
import { GroupNorm } from '../../nn/norm.ts';
import { UpsampleConv2d } from '../../nn/upsample-conv.ts';
import type { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** The number of groups of the normalisation. */
const GROUPS = 8;

/** A convolution `conv` without a bias, then group normalisation and SiLU as `norm`: y = silu(norm(conv(x))). */
export class ConvBlock extends Layer {
  readonly norm: GroupNorm;

  /** @param channels the channels of the convolution's result, a multiple of 8 */
  constructor(
    readonly conv: Conv2d | UpsampleConv2d,
    channels: number,
  ) {
    super();
    this.norm = new GroupNorm(GROUPS, channels, { activation: 'silu' });
  }

  override forward(x: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(x));
  }
}

export interface ConvBlockOptions {
  /** The side of the kernel, an odd number. */
  readonly kernel: number;
  readonly stride: number;
  readonly rng: Rng;
}

/** A block with `from` input channels and `to` output channels. */
export function convBlock(from: number, to: number, { kernel, stride, rng }: ConvBlockOptions): ConvBlock {
  const padding = (kernel - 1) / 2;
  return new ConvBlock(new Conv2d(from, to, kernel, { stride, padding, bias: false, rng }), to);
}

/** A block that first repeats each pixel in a square of four, [b, h, w, from] to [b, 2h, 2w, to]. */
export function upsampleBlock(from: number, to: number, rng: Rng): ConvBlock {
  return new ConvBlock(new UpsampleConv2d(from, to, { bias: false, rng }), to);
}

/** The number of rows or columns of a map after a convolution with this stride. */
export const strided = (side: number, stride: number): number => Math.ceil(side / stride);
