/**
 * Attention of the pixels of a map, added to the map: x + attention(norm(x)). The map is [batch, height, width, channels],
 * and each pixel is a query. The keys and values are the pixels themselves, or the tokens of a caption. The output of the
 * attention starts at 0, so an untrained layer is the identity.
 */
import { MultiheadAttention } from '../../nn/attention.ts';
import { zeroed } from '../../nn/init.ts';
import { Module } from '../../nn/module.ts';
import { GroupNorm } from '../../nn/norm.ts';
import type { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { EncodedText } from './text-encoder.ts';

/** The number of groups of the normalisation, here and in the blocks of a U-Net. */
export const PIXEL_GROUPS = 8;

/** The attention that this file's header describes. */
export class PixelAttention extends Module {
  /** The normalisation of the map. */
  readonly norm: GroupNorm;
  /** The attention of the pixels. */
  readonly attention: MultiheadAttention;

  /** @param text the channels of a token, for attention to captions; absent for attention among the pixels */
  constructor(channels: number, heads: number, rng: Rng, text?: number) {
    super();
    this.norm = new GroupNorm(PIXEL_GROUPS, channels);
    const keys = text === undefined ? {} : { kdim: text, vdim: text };
    this.attention = new MultiheadAttention(channels, heads, { ...keys, rng });
    zeroed(this.attention.out_proj);
  }

  /** From a map to a map of the same shape. @param text the captions, for attention to captions */
  forward(x: Tensor, text?: EncodedText): Tensor {
    const [batch, height, width, channels] = x.shape;
    const pixels = this.norm.forward(x).reshape([batch, height * width, channels]);
    const attended = text
      ? this.attention.forward(pixels, text.tokens, text.tokens, { mask: text.mask })
      : this.attention.forward(pixels);
    return x.add(attended.reshape(x.shape));
  }
}
