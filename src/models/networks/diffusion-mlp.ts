/**
 * A residual MLP for diffusion. Its inputs are noised pictures x [b, height, width, channels], a time for each picture
 * and, if the network has classes, a label for each. The prediction has x's shape. Inside, a picture is a row of
 * numbers.
 *
 *     c = silu(time embedding of t + label embedding)                      [b, condition]
 *     h = W_in·x                                                           [b, width]
 *     h = h + B_k·silu(A_k·norm(h) + C_k·c)      for each of `depth` blocks, [b, inner] inside
 *     prediction = W_out·norm(h)
 *
 * norm(h) = h/√(mean(h²) + 1e-6) over the width. It has no parameters, because a linear layer follows. B_k and W_out
 * start at 0: so an untrained network predicts 0, and its blocks are the identity. label-embedding.ts has the labels.
 *
 * Sources: He et al., "Identity mappings in deep residual networks" (2016); RMS norm: Zhang and Sennrich (2019). Left
 * out on purpose: convolutions.
 */
import { optional, whole } from '../../checkpoint/fields.ts';
import type { ModelFormat } from '../../checkpoint/model-format.ts';
import { pictureSize } from '../../data/dataset.ts';
import { rmsNorm } from '../../nn/functional.ts';
import { zeroed } from '../../nn/init.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { TimeEmbedding } from '../../nn/time-embedding.ts';
import { withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import {
  type Condition,
  DiffusionNetwork,
  type DiffusionSizes,
  requireNoCaptions,
  requireSizes,
} from './diffusion-network.ts';
import { embedCondition, labelMatrix } from './label-embedding.ts';
import { MOST_CLASSES, MOST_DEPTH, PICTURE_FIELDS, WIDTH_FIELD } from './limits.ts';
import { pictureRows } from './pictures.ts';

/** The sizes of a network, each 1 or more; `classes` can be 0. */
export interface DiffusionMlpSizes extends DiffusionSizes {
  /** The width between the blocks, and the width inside them. */
  readonly hidden: number;
  /** The width inside the blocks. */
  readonly inner: number;
  /** The number of blocks. */
  readonly depth: number;
  /** The length of the condition vector of time and label, an even number. */
  readonly condition: number;
}

export const DIFFUSION_MLP_SIZES: DiffusionMlpSizes = {
  height: 28,
  width: 28,
  channels: 1,
  classes: 10,
  hidden: 512,
  inner: 512,
  depth: 3,
  condition: 128,
};

/** Options of `DiffusionMlp`. */
export interface DiffusionMlpOptions extends Partial<DiffusionMlpSizes> {
  /** The generator of the initial values. Default: the shared generator. */
  readonly rng?: Rng;
}

/** A residual block, h + B·silu(A·norm(h) + C·c). The layers `a`, `b` and `c` have the matrices A, B and C. */
export class DiffusionMlpBlock extends Module {
  readonly a: Linear;
  readonly b: Linear;
  readonly c: Linear;

  constructor({ hidden, inner, condition }: DiffusionMlpSizes, rng: Rng) {
    super();
    this.a = new Linear(hidden, inner, { rng });
    this.b = zeroed(new Linear(inner, hidden, { rng }));
    this.c = new Linear(condition, inner, { bias: false, rng });
  }

  /** From h [batch, hidden] and the condition c [batch, condition] to the next h. */
  forward(h: Tensor, c: Tensor): Tensor {
    const z = this.a.forward(rmsNorm(h)).add(this.c.forward(c));
    return h.add(this.b.forward(z.silu()));
  }
}

/**
 * A residual MLP for diffusion, with time and label. `time` and `label` make the condition. `input`, the `blocks` and
 * `output` make the prediction of it. `label` is null for a network without classes.
 */
export class DiffusionMlp extends DiffusionNetwork {
  /** The kind of this network in a checkpoint. */
  static readonly kind = 'diffusion-mlp';
  readonly kind = DiffusionMlp.kind;
  readonly outputs = 'data';
  readonly sizes: DiffusionMlpSizes;
  readonly time: TimeEmbedding;
  readonly label: Linear | null;
  readonly input: Linear;
  readonly blocks: readonly DiffusionMlpBlock[];
  readonly output: Linear;

  /** @throws ValueError for sizes that are not whole numbers >= 1, or an odd `condition` */
  constructor(options: DiffusionMlpOptions = {}) {
    super();
    const defaults = { ...DIFFUSION_MLP_SIZES, rng: sharedRng() };
    const { rng, ...sizes } = withDefaults(DiffusionMlp.kind, options, defaults);
    this.sizes = sizes;
    requireSizes(DiffusionMlp.kind, this.sizes);
    const { classes, hidden, condition, depth } = this.sizes;
    this.time = new TimeEmbedding(condition, condition, { rng });
    this.label = labelMatrix(classes, condition, rng);
    this.input = new Linear(pictureSize(this.sizes), hidden, { rng });
    this.blocks = Array.from({ length: depth }, () => new DiffusionMlpBlock(this.sizes, rng));
    this.output = zeroed(new Linear(hidden, pictureSize(this.sizes), { rng }));
  }

  get description(): string {
    const { depth, hidden, inner } = this.sizes;
    return `${depth} residual ${depth === 1 ? 'block' : 'blocks'} of ${hidden}-${inner}-${hidden}`;
  }

  override forward(x: Tensor, t: ArrayLike<number>, { labels, captions }: Condition = {}): Tensor {
    requireNoCaptions(DiffusionMlp.kind, captions);
    const rows = pictureRows(DiffusionMlp.kind, x, this.sizes);
    const [batch] = x.shape;
    const condition = embedCondition(DiffusionMlp.kind, this, batch, t, labels).silu();
    const h = this.blocks.reduce((h, block) => block.forward(h, condition), this.input.forward(rows));
    return this.output.forward(rmsNorm(h)).reshape(x.shape);
  }
}

const FIELDS = {
  ...PICTURE_FIELDS,
  classes: optional(whole(0, MOST_CLASSES), 0),
  hidden: WIDTH_FIELD,
  inner: WIDTH_FIELD,
  depth: whole(1, MOST_DEPTH),
  condition: WIDTH_FIELD,
};

/** The format of this kind in a file. */
export const DIFFUSION_MLP_FORMAT: ModelFormat<DiffusionMlp, DiffusionMlpSizes> = {
  kind: DiffusionMlp.kind,
  sizes: FIELDS,
  *shapes(sizes) {
    const { classes, hidden, inner, depth, condition } = sizes;
    yield ['time.first.weight', [condition, condition]];
    yield ['time.second.weight', [condition, condition]];
    if (classes > 0) yield ['label.weight', [condition, classes + 1]];
    yield ['input.weight', [hidden, pictureSize(sizes)]];
    for (let k = 0; k < depth; k++) {
      yield [`blocks.${k}.a.weight`, [inner, hidden]];
      yield [`blocks.${k}.b.weight`, [hidden, inner]];
      yield [`blocks.${k}.c.weight`, [inner, condition]];
    }
    yield ['output.weight', [pictureSize(sizes), hidden]];
  },
  // A generator of its own: loading a model must not advance the shared generator.
  create: (sizes) => new DiffusionMlp({ ...sizes, rng: new Rng(0) }),
};
