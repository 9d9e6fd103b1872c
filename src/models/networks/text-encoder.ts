/**
 * Encodes captions as vectors: the text encoder of a diffusion network, which is trained with it. With T = `tokens` and
 * W = `text`:
 *
 *     e = word embedding + position embedding                    [b, T, W]
 *     e = e + attention(norm(e)), then e = e + mlp(norm(e))      twice; mlp: W to 4W, GELU, 4W to W
 *     tokens = norm(e)                                           [b, T, W]
 *
 * The first token of a caption is a start token, and its result is the summary of the caption. A picture without a caption
 * has one token, `none`. The rest of the T places is padding. Attention never uses padding, so padding changes nothing.
 * Every caption has T places, so the result for a caption does not depend on the other captions of the batch.
 *
 * Sources: Vaswani et al., "Attention is all you need" (2017), with the normalisation before each layer; Nichol et al.,
 * "GLIDE" (2021), for a text encoder that is trained with the diffusion model. Left out on purpose: dropout.
 */
import { ShapeError } from '../../errors.ts';
import { MultiheadAttention } from '../../nn/attention.ts';
import { Embedding } from '../../nn/embedding.ts';
import { filledParameter } from '../../nn/init.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { LayerNorm } from '../../nn/norm.ts';
import type { Rng } from '../../random/rng.ts';
import { tensor } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { tokensOf } from '../captions/words.ts';

/** A caption for each picture; null for none. */
export type Captions = readonly (string | null)[];

/** The sizes of a text encoder. */
export interface TextSizes {
  /** The number of words that it knows: the first ones of `WORDS`. */
  readonly words: number;
  /** The most tokens: one more than the most words of a caption. */
  readonly tokens: number;
  /** The length of a token's vector, a multiple of 4. */
  readonly text: number;
}

/** Encoded captions. */
export interface EncodedText {
  /** [batch, tokens, text] */
  readonly tokens: Tensor;
  /** `[batch, 1, 1, tokens]`: 1 for a token, 0 for padding. */
  readonly mask: Tensor;
  /** The result of the first token, [batch, text]. */
  readonly summary: Tensor;
}

/** The number of layers. */
export const TEXT_LAYERS = 2;
/** The number of heads. */
export const TEXT_HEADS = 4;
/** The rows of the embedding after those of the words. */
const START = 0;
const NONE = 1;
const SPECIAL = 2;

/** Self-attention and an MLP, each added to its input. */
export class TextLayer extends Module {
  /** The normalisation before the attention. */
  readonly firstNorm: LayerNorm;
  /** The attention among the tokens of a caption. */
  readonly attention: MultiheadAttention;
  /** The normalisation before the MLP. */
  readonly secondNorm: LayerNorm;
  /** The first layer of the MLP, to four times the width. */
  readonly first: Linear;
  /** The second layer of the MLP, back to the width. */
  readonly second: Linear;

  /** @param width the channels of a token, a multiple of 4 */
  constructor(width: number, rng: Rng) {
    super();
    this.firstNorm = new LayerNorm([width]);
    this.attention = new MultiheadAttention(width, TEXT_HEADS, { rng });
    this.secondNorm = new LayerNorm([width]);
    this.first = new Linear(width, 4 * width, { rng });
    this.second = new Linear(4 * width, width, { rng });
  }

  /** From tokens to tokens, `[batch, tokens, width]`. @param mask `[batch, 1, 1, tokens]`, 0 for padding */
  forward(x: Tensor, mask: Tensor): Tensor {
    const tokens = this.firstNorm.forward(x);
    const h = x.add(this.attention.forward(tokens, tokens, tokens, { mask }));
    return h.add(this.second.forward(this.first.forward(this.secondNorm.forward(h)).gelu()));
  }
}

/** The text encoder that this file's header describes. */
export class TextEncoder extends Module {
  /** A vector for each word, and for the tokens `start` and `none`. */
  readonly words: Embedding;
  /** [tokens, text], 0 at first. */
  readonly position: Tensor;
  /** The transformer layers. */
  readonly layers: readonly TextLayer[];
  /** The last normalisation. */
  readonly norm: LayerNorm;

  /** @param sizes the sizes of the encoder @param rng the generator of the initial values */
  constructor(
    /** The sizes of the encoder. */
    readonly sizes: TextSizes,
    rng: Rng,
  ) {
    super();
    const { words, tokens, text } = sizes;
    this.words = new Embedding(words + SPECIAL, text, { rng });
    this.position = filledParameter([tokens, text], 0);
    this.layers = Array.from({ length: TEXT_LAYERS }, () => new TextLayer(text, rng));
    this.norm = new LayerNorm([text]);
  }

  /**
   * @param captions one for each picture; null for none
   * @throws ShapeError for another number of captions than `batch`
   * @throws ValueError for unknown words, an empty caption, or one that is too long
   */
  forward(captions: Captions, batch: number): EncodedText {
    const { text, tokens: places } = this.sizes;
    if (captions.length !== batch) {
      throw new ShapeError(`text: expected ${batch} captions, one per picture, got ${captions.length}`);
    }
    const rows = new Int32Array(batch * places).fill(this.sizes.words + NONE);
    const used = new Float32Array(batch * places);
    for (const [i, caption] of captions.entries()) {
      const tokens = this.rowsOf(caption);
      rows.set(tokens, i * places);
      used.fill(1, i * places, i * places + tokens.length);
    }
    const mask = tensor(used, [batch, 1, 1, places]);
    const embedded = this.words.forward(rows).reshape([batch, places, text]).add(this.position);
    const encoded = this.layers.reduce((x, layer) => layer.forward(x, mask), embedded);
    const tokens = this.norm.forward(encoded);
    const summary = tokens.slice([0, 0], [batch, 1]).reshape([batch, text]);
    return { tokens, mask, summary };
  }

  /** The rows of the embedding for a caption. */
  private rowsOf(caption: string | null): number[] {
    const { words, tokens } = this.sizes;
    return caption === null ? [words + NONE] : [words + START, ...tokensOf(caption, words, tokens - 1)];
  }
}

/** The shapes of the matrices of a text encoder with this name in the network. */
export function* textShapes(
  name: string,
  { words, tokens, text }: TextSizes,
): Iterable<[string, readonly number[]]> {
  yield [`${name}.words.weight`, [words + SPECIAL, text]];
  yield [`${name}.position`, [tokens, text]];
  for (let k = 0; k < TEXT_LAYERS; k++) {
    yield [`${name}.layers.${k}.attention.in_proj_weight`, [3 * text, text]];
    yield [`${name}.layers.${k}.attention.out_proj.weight`, [text, text]];
    yield [`${name}.layers.${k}.first.weight`, [4 * text, text]];
    yield [`${name}.layers.${k}.second.weight`, [text, 4 * text]];
  }
}
