/**
 * What the convolutional networks are made of: a convolution, group normalisation, SiLU,
 *
 *     [b, h, w, in] to [b, ⌈h/stride⌉, ⌈w/stride⌉, out]
 *
 * The padding is half of the kernel. The convolution has no bias, since the normalisation would take it away.
 */
import { Conv2d } from '../../nn/conv.ts';
import { Layer } from '../../nn/module.ts';
import { GroupNorm } from '../../nn/norm.ts';
import type { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** Groups of channels that are normalised together. */
const GROUPS = 8;

export interface ConvBlockOptions {
  /** An odd number. */
  readonly kernel: number;
  readonly stride: number;
  readonly rng: Rng;
}

export class ConvBlock extends Layer {
  readonly conv: Conv2d;
  readonly norm: GroupNorm;

  /** @param out channels of the result, a multiple of 8 */
  constructor(from: number, out: number, { kernel, stride, rng }: ConvBlockOptions) {
    super();
    const padding = (kernel - 1) / 2;
    this.conv = new Conv2d(from, out, kernel, { stride, padding, bias: false, rng });
    this.norm = new GroupNorm(GROUPS, out, { activation: 'silu' });
  }

  override forward(x: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(x));
  }
}

/** The rows or columns of a map after a convolution with that stride. */
export const strided = (side: number, stride: number): number => Math.ceil(side / stride);
