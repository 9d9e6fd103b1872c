/**
 * The layers of a U-Net that read captions: the text encoder, a matrix from the summary of a caption to the condition
 * vector, and attention to the tokens at both coarse maps. unet.ts says where they stand in the network.
 */
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import type { Rng } from '../../random/rng.ts';
import { PixelAttention } from './pixel-attention.ts';
import { TextEncoder, type TextSizes, textShapes } from './text-encoder.ts';
import type { UNetSizes } from './unet.ts';

/** The layers that this file's header describes. */
export class CaptionLayers extends Module {
  /** Captions as tokens. */
  readonly text: TextEncoder;
  /** From the summary of a caption to the condition vector. */
  readonly summary: Linear;
  /** Attention at a quarter of the size. */
  readonly deep: PixelAttention;
  /** Attention at half of the size. */
  readonly half: PixelAttention;

  /** @param sizes those of the network */
  constructor(sizes: UNetSizes & TextSizes, rng: Rng) {
    super();
    const { hidden, heads, condition, text } = sizes;
    this.text = new TextEncoder(sizes, rng);
    this.summary = new Linear(text, condition, { bias: false, rng });
    this.deep = new PixelAttention(2 * hidden, heads, rng, text);
    this.half = new PixelAttention(hidden, heads, rng, text);
  }
}

/** The shapes of the matrices of these layers with this name in the network. None for a network without captions. */
export function* captionShapes(
  name: string,
  { hidden, condition, words = 0, tokens = 0, text = 0 }: UNetSizes,
): Iterable<[string, readonly number[]]> {
  if (words === 0) return;
  yield* textShapes(`${name}.text`, { words, tokens, text });
  yield [`${name}.summary.weight`, [condition, text]];
  const widths = { deep: 2 * hidden, half: hidden };
  for (const [map, width] of Object.entries(widths)) {
    const attention = `${name}.${map}.attention`;
    // One matrix if tokens have as many channels as the map.
    if (width === text) yield [`${attention}.in_proj_weight`, [3 * width, width]];
    else {
      yield [`${attention}.q_proj_weight`, [width, width]];
      yield [`${attention}.k_proj_weight`, [width, text]];
      yield [`${attention}.v_proj_weight`, [width, text]];
    }
  }
}
