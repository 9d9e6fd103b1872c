/**
 * A U-Net for diffusion. Its inputs are noised pictures x [b, h, w, channels], a time for each picture and, if the
 * network has classes, a label for each. The prediction has x's shape. With N = `hidden`, for pictures of 28x28:
 *
 *     c = silu(time embedding of t + label embedding)          [b, condition]
 *     a = block(3x3 of the picture's squares of four pixels)   14x14xN
 *     d = 3x3 of a, stride 2                                   7x7x2N
 *     d = block(attention(block(d + position)))                7x7x2N
 *     u = 3x3 of d, each pixel repeated in a square of four    14x14xN
 *     u = block([a, u])                                        14x14xN, from 2N channels
 *     f = silu(3x3 of silu(norm(u))), four pixels each         28x28xN/4
 *     prediction = 3x3 of silu(3x3 of [f, x])                  28x28, with `fine` channels between
 *
 * A network that takes captions has a text encoder (text-encoder.ts). Its tokens are [b, tokens, text]:
 *
 *     c = silu(time embedding of t + W·summary of the caption)
 *     d = attention of d's pixels to the tokens, added to d, after the attention among pixels
 *     u = attention of u's pixels to the tokens, added to u, after the block of u
 *
 * With a learnt variance the last 3x3 has twice as many channels. The second half gives the variance
 * (diffusion/learned-variance.ts).
 *
 * A block, with adaptive group normalisation as in Dhariwal and Nichol:
 *
 *     block(h) = skip(h) + 3x3 of silu(norm(3x3 of silu(norm(h)))·(1 + scale) + shift),   [scale, shift] = W·c
 *
 * skip is a 1x1 convolution if the numbers of channels differ, else the identity. Some things start at 0: the second
 * 3x3 of a block, the output of each attention, the positions, and the last 3x3. So an untrained network predicts 0, and
 * its blocks are the identity (or the 1x1). For the attention among pixels the 7x7 pixels are 49 tokens. Their positions
 * are learnt.
 *
 * Most of the work is at 14x14 and 7x7 with many channels, because the kernels are fastest there. Only two layers with
 * few channels work at the full size.
 *
 * Sources: Ronneberger et al., "U-Net" (2015); Rombach et al., "High-resolution image synthesis with latent diffusion
 * models" (2022), for the attention to tokens; Ho et al. (2020); Dhariwal and Nichol, "Diffusion models beat GANs"
 * (2021). Left out on purpose: dropout, more than two scales.
 */
import { optional, whole } from '../../checkpoint/fields.ts';
import type { ModelFormat } from '../../checkpoint/model-format.ts';
import { ValueError } from '../../errors.ts';
import { Conv2d } from '../../nn/conv.ts';
import { filledParameter, zeroed } from '../../nn/init.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { GroupNorm } from '../../nn/norm.ts';
import { TimeEmbedding } from '../../nn/time-embedding.ts';
import { UpsampleConv2d } from '../../nn/upsample-conv.ts';
import { withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import { cat } from '../../tensor/functions.ts';
import { pixelShuffle, pixelUnshuffle } from '../../tensor/pool.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { MOST_WORDS, WORDS } from '../captions/words.ts';
import { CaptionLayers, captionShapes } from './caption-layers.ts';
import {
  type Condition,
  DiffusionNetwork,
  type DiffusionSizes,
  requireNoCaptions,
  requireSizes,
} from './diffusion-network.ts';
import { embedCondition, labelMatrix } from './label-embedding.ts';
import { MOST_CHANNELS, MOST_CLASSES, MOST_WIDTH, PICTURE_FIELDS, WIDTH_FIELD } from './limits.ts';
import { checkPictures } from './pictures.ts';
import { PIXEL_GROUPS as GROUPS, PixelAttention } from './pixel-attention.ts';
import { type Captions, TEXT_HEADS, type TextSizes } from './text-encoder.ts';

/** The sizes of a network, each 1 or more; `classes` can be 0. */
export interface UNetSizes extends DiffusionSizes, Partial<TextSizes> {
  /** The number of channels at half of the size, a multiple of 32. A quarter of the size has twice as many. */
  readonly hidden: number;
  /** The number of channels at the full size. */
  readonly fine: number;
  /** The number of heads of the attention, a divisor of 2·hidden. */
  readonly heads: number;
  /** The length of the condition vector of time and label, an even number. */
  readonly condition: number;
  /** The number of output channels that give a learnt variance, as many as `channels`. Absent without one. */
  readonly variances?: number;
}

/** The sizes of the text encoder of a network that takes captions. Without captions `words` is 0. */
export const TEXT_SIZES: TextSizes = { words: WORDS.length, tokens: MOST_WORDS + 1, text: 64 };

export const UNET_SIZES: UNetSizes = {
  ...{ height: 28, width: 28, channels: 1, classes: 10 },
  ...{ hidden: 64, fine: 16, heads: 4, condition: 256 },
};

/** Options of `UNet`. */
export interface UNetOptions extends Partial<UNetSizes> {
  /** The generator of the initial values. Default: the shared generator. */
  readonly rng?: Rng;
}

/** The sides of a picture must be multiples of this number. */
export const COARSEST = 4;

const norm = (channels: number) => new GroupNorm(GROUPS, channels, { activation: 'silu' });

const conv3x3 = (from: number, to: number, rng: Rng, stride = 1) =>
  new Conv2d(from, to, 3, { padding: 1, stride, rng });

/**
 * A residual block with adaptive group normalisation. It applies `firstNorm`, `first`, `secondNorm` and `second` in this
 * order. `condition` computes the scale and the shift after `secondNorm`. `skip` is a 1x1 convolution of the input if the
 * number of channels changes, else null.
 */
export class UNetBlock extends Module {
  readonly firstNorm: GroupNorm;
  readonly first: Conv2d;
  readonly condition: Linear;
  readonly secondNorm: GroupNorm;
  readonly second: Conv2d;
  readonly skip: Conv2d | null;

  constructor(from: number, to: number, condition: number, rng: Rng) {
    super();
    this.firstNorm = norm(from);
    this.first = conv3x3(from, to, rng);
    this.condition = new Linear(condition, 2 * to, { rng });
    this.secondNorm = new GroupNorm(GROUPS, to, { affine: false });
    this.second = zeroed(conv3x3(to, to, rng));
    this.skip = from === to ? null : new Conv2d(from, to, 1, { rng });
  }

  /** From pictures x [batch, height, width, from] and conditions c [batch, condition] to [batch, height, width, to]. */
  forward(x: Tensor, c: Tensor): Tensor {
    const h = this.first.forward(this.firstNorm.forward(x));
    const [scale, shift] = this.condition.forward(c).unsqueeze(1).unsqueeze(1).split(h.shape[3], 3);
    const inner = this.secondNorm.forward(h).mul(scale.add(1)).add(shift).silu();
    return this.second.forward(inner).add(this.skip ? this.skip.forward(x) : x);
  }
}

/** Checks the sizes. @throws ValueError for sizes that are out of range or do not fit each other */
function checkSizes(sizes: UNetSizes): void {
  requireSizes(UNet.kind, sizes);
  const { height, width, channels, hidden, heads, variances = 0 } = sizes;
  if (height % COARSEST > 0 || width % COARSEST > 0) {
    throw new ValueError(
      `${UNet.kind}: expected a height and width that are multiples of ${COARSEST}, got ${height} and ${width}`,
    );
  }
  if (hidden % (4 * GROUPS) > 0) {
    throw new ValueError(`${UNet.kind}: expected hidden to be a multiple of ${4 * GROUPS}, got ${hidden}`);
  }
  if (variances !== 0 && variances !== channels) {
    throw new ValueError(`${UNet.kind}: expected variances to be 0 or ${channels}, got ${variances}`);
  }
  if (sizes.text !== undefined && (sizes.text % TEXT_HEADS > 0 || hidden % heads > 0)) {
    throw new ValueError(
      `${UNet.kind}: expected text to be a multiple of ${TEXT_HEADS} and hidden of heads, got ${sizes.text}, ${hidden} and ${heads}`,
    );
  }
  if ((2 * hidden) % heads > 0) {
    throw new ValueError(`${UNet.kind}: expected heads that divide ${2 * hidden} channels, got ${heads}`);
  }
}

/**
 * A U-Net for diffusion, with time, label and attention. Its layers in their order: `time` and `label` for the
 * condition; `input` and `half` at half of the size; `down`, `position`, `before`, `attention` and `after` at a
 * quarter; `up` and `merge` at half; `fineNorm`, `fine`, `pixels` and `output` to the full size. `label` is null for a
 * network without classes, and `captions` for one that takes no captions. Sources: Ronneberger et al. (2015); Dhariwal
 * and Nichol (2021).
 */
export class UNet extends DiffusionNetwork {
  /** The kind of this network in a checkpoint. */
  static readonly kind = 'unet';
  readonly kind = UNet.kind;
  readonly outputs = 'prediction';
  readonly sizes: UNetSizes;
  readonly time: TimeEmbedding;
  readonly label: Linear | null;
  readonly input: Conv2d;
  readonly half: UNetBlock;
  readonly down: Conv2d;
  readonly position: Tensor;
  readonly before: UNetBlock;
  readonly attention: PixelAttention;
  readonly after: UNetBlock;
  readonly up: UpsampleConv2d;
  readonly merge: UNetBlock;
  readonly fineNorm: GroupNorm;
  readonly fine: Conv2d;
  readonly pixels: Conv2d;
  readonly output: Conv2d;
  /** The layers that read captions, or null for a network that takes none. */
  readonly captions: CaptionLayers | null;

  /** @throws ValueError for sizes that are not whole numbers >= 1, or do not fit each other */
  constructor(options: UNetOptions = {}) {
    super();
    const { rng, variances, words, tokens, text, ...sizes } = withDefaults(UNet.kind, options, {
      ...UNET_SIZES,
      ...{ variances: 0, words: 0, tokens: TEXT_SIZES.tokens, text: TEXT_SIZES.text },
      rng: sharedRng(),
    });
    const textSizes = words === 0 ? null : { words, tokens, text };
    this.sizes = { ...sizes, ...(variances !== 0 && { variances }), ...textSizes };
    checkSizes(this.sizes);
    const { height, width, channels, classes, hidden, fine, heads, condition } = sizes;
    const deep = 2 * hidden;
    this.time = new TimeEmbedding(condition, condition, { rng });
    this.label = labelMatrix(classes, condition, rng);
    this.input = conv3x3(4 * channels, hidden, rng);
    this.half = new UNetBlock(hidden, hidden, condition, rng);
    this.down = conv3x3(hidden, deep, rng, 2);
    this.position = filledParameter([height / COARSEST, width / COARSEST, deep], 0);
    this.before = new UNetBlock(deep, deep, condition, rng);
    this.attention = new PixelAttention(deep, heads, rng);
    this.after = new UNetBlock(deep, deep, condition, rng);
    this.up = new UpsampleConv2d(deep, hidden, { rng });
    this.merge = new UNetBlock(deep, hidden, condition, rng);
    this.fineNorm = norm(hidden);
    this.fine = conv3x3(hidden, hidden, rng);
    this.pixels = conv3x3(hidden / 4 + channels, fine, rng);
    this.output = zeroed(conv3x3(fine, channels + variances, rng));
    this.captions = textSizes && new CaptionLayers({ ...sizes, ...textSizes }, rng);
  }

  override get learnsVariance(): boolean {
    return this.sizes.variances !== undefined;
  }

  override get takesCaptions(): boolean {
    return this.captions !== null;
  }

  get description(): string {
    const { hidden, fine, heads, words } = this.sizes;
    const captions = words === undefined ? '' : `, captions of ${words} words`;
    return `U-Net of ${fine}, ${hidden} and ${2 * hidden} channels, attention of ${heads} heads${captions}`;
  }

  override forward(x: Tensor, t: ArrayLike<number>, { labels, captions }: Condition = {}): Tensor {
    checkPictures(UNet.kind, x, this.sizes);
    const [batch] = x.shape;
    const text = this.encodeCaptions(captions, batch);
    const embedded = embedCondition(UNet.kind, this, batch, t, labels);
    const c = (text ? embedded.add(text.layers.summary.forward(text.encoded.summary)) : embedded).silu();
    const half = this.half.forward(this.input.forward(pixelUnshuffle(x, 2)), c);
    const deep = this.before.forward(this.down.forward(half).add(this.position), c);
    const attended = this.attention.forward(deep);
    const described = text ? text.layers.deep.forward(attended, text.encoded) : attended;
    const coarse = this.after.forward(described, c);
    const joined = this.merge.forward(cat([half, this.up.forward(coarse)], 3), c);
    const merged = text ? text.layers.half.forward(joined, text.encoded) : joined;
    const fine = pixelShuffle(this.fine.forward(this.fineNorm.forward(merged)).silu(), 2);
    return this.output.forward(this.pixels.forward(cat([fine, x], 3)).silu());
  }

  /** The captions as vectors, and the layers that read them. Null for a network that takes no captions. */
  private encodeCaptions(captions: Captions | undefined, batch: number) {
    const layers = this.captions;
    if (layers) return { layers, encoded: layers.text.forward(captions ?? Array(batch).fill(null), batch) };
    requireNoCaptions(UNet.kind, captions);
    return null;
  }
}

/** The shapes of a block's matrices. */
const blockShapes = (name: string, from: number, to: number, condition: number) =>
  [
    [`${name}.first.weight`, [to, 3, 3, from]],
    [`${name}.condition.weight`, [2 * to, condition]],
    [`${name}.second.weight`, [to, 3, 3, to]],
    ...(from === to ? [] : [[`${name}.skip.weight`, [to, 1, 1, from]] as const]),
  ] as const;

/** The format of this kind in a file. */
export const UNET_FORMAT: ModelFormat<UNet, UNetSizes> = {
  kind: UNet.kind,
  sizes: {
    ...PICTURE_FIELDS,
    classes: optional(whole(0, MOST_CLASSES), 0),
    ...{ hidden: WIDTH_FIELD, fine: WIDTH_FIELD, heads: WIDTH_FIELD, condition: WIDTH_FIELD },
    variances: optional(whole(0, MOST_CHANNELS), 0),
    words: optional(whole(0, WORDS.length), 0),
    tokens: optional(whole(2, MOST_WORDS + 1), TEXT_SIZES.tokens),
    text: optional(whole(TEXT_HEADS, MOST_WIDTH), TEXT_SIZES.text),
  },
  *shapes(sizes) {
    const { height, width, channels, classes, hidden, fine, condition, variances = 0 } = sizes;
    const deep = 2 * hidden;
    yield ['time.first.weight', [condition, condition]];
    yield ['time.second.weight', [condition, condition]];
    if (classes > 0) yield ['label.weight', [condition, classes + 1]];
    yield ['input.weight', [hidden, 3, 3, 4 * channels]];
    yield* blockShapes('half', hidden, hidden, condition);
    yield ['down.weight', [deep, 3, 3, hidden]];
    yield ['position', [height / COARSEST, width / COARSEST, deep]];
    yield* blockShapes('before', deep, deep, condition);
    yield ['attention.attention.in_proj_weight', [3 * deep, deep]];
    yield ['attention.attention.out_proj.weight', [deep, deep]];
    yield* blockShapes('after', deep, deep, condition);
    yield ['up.weight', [hidden, 3, 3, deep]];
    yield* blockShapes('merge', deep, hidden, condition);
    yield ['fine.weight', [hidden, 3, 3, hidden]];
    yield ['pixels.weight', [fine, 3, 3, hidden / 4 + channels]];
    yield ['output.weight', [channels + variances, 3, 3, fine]];
    yield* captionShapes('captions', sizes);
  },
  create: (sizes) => new UNet({ ...sizes, rng: new Rng(0) }),
};
