/**
 * Multi-head attention as a layer, by PyTorch's names and with PyTorch's initial values: in_proj_weight from
 * U(-b, b) with b = √(6/(rows + columns)) (xavier_uniform), out_proj.weight as that of `Linear`, and all biases 0.
 *
 * Unlike PyTorch's, the batch always comes first (`batch_first=True`), the result is the tensor alone, without the
 * probabilities, and a mask is not 0 where a key takes part, as in `scaledDotProductAttention`. Left out: dropout of
 * probabilities, bias_k, bias_v and add_zero_attn.
 */
import { ShapeError, ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import {
  type AttentionMaskOptions,
  checkHeads,
  packedAttention,
  scaledDotProductAttention,
} from '../tensor/attention.ts';
import { linear } from '../tensor/functions.ts';
import { requireTensor, type Tensor } from '../tensor/tensor.ts';
import { checkWhole } from './check.ts';
import { filledParameter, uniformParameter } from './init.ts';
import { Linear } from './linear.ts';
import { Layer } from './module.ts';

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  /** Whether the projections have biases; true by default. */
  readonly bias?: boolean;
  /** Channels of keys; those of queries by default. */
  readonly kdim?: number | null;
  /** Channels of values; those of queries by default. */
  readonly vdim?: number | null;
  /** Where the initial values come from. */
  readonly rng?: Rng;
}

/** Glorot and Bengio (2010): the variance of activations and gradients stays about the same. */
const xavier = (rows: number, columns: number, rng: Rng) =>
  uniformParameter([rows, columns], Math.sqrt(6 / (rows + columns)), rng);

const OPERANDS = ['a query', 'a key', 'a value'] as const;

/** Attention of tokens [batch, tokens, channels] to themselves, or to others. */
export class MultiheadAttention extends Layer {
  /** The projections to queries, keys and values, one below the other; null where kdim or vdim differ. */
  readonly in_proj_weight: Tensor | null = null;
  readonly q_proj_weight: Tensor | null = null;
  readonly k_proj_weight: Tensor | null = null;
  readonly v_proj_weight: Tensor | null = null;
  readonly in_proj_bias: Tensor | null;
  readonly out_proj: Linear;

  /**
   * @param embedDim channels of queries and of the result
   * @param numHeads a divisor of `embedDim`
   * @throws ValueError
   */
  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super();
    const given = withDefaults('MultiheadAttention', options, {
      ...{ bias: true, kdim: null, vdim: null, rng: sharedRng() },
    });
    checkHeads('MultiheadAttention', numHeads);
    const { bias, rng } = given;
    const [kdim, vdim] = [given.kdim ?? embedDim, given.vdim ?? embedDim];
    checkWhole('MultiheadAttention', 'channels', [embedDim, kdim, vdim], 1);
    if (embedDim % numHeads !== 0) {
      throw new ValueError(
        `MultiheadAttention: expected channels that ${numHeads} heads divide, got ${embedDim}`,
      );
    }
    if (kdim === embedDim && vdim === embedDim) this.in_proj_weight = xavier(3 * embedDim, embedDim, rng);
    else {
      this.q_proj_weight = xavier(embedDim, embedDim, rng);
      this.k_proj_weight = xavier(embedDim, kdim, rng);
      this.v_proj_weight = xavier(embedDim, vdim, rng);
    }
    this.in_proj_bias = bias ? filledParameter([3 * embedDim], 0) : null;
    this.out_proj = new Linear(embedDim, embedDim, { bias, rng });
    this.out_proj.bias?.set(new Float32Array(embedDim));
  }

  /**
   * @param query [batch, queries, embedDim]
   * @param key [batch, keys, kdim]; the queries by default, which is self-attention
   * @param value [batch, keys, vdim]; the keys by default
   * @param options a mask or a bias [batch, heads, queries, keys], or what broadcasts to it, and `isCausal`
   * @returns [batch, queries, embedDim]
   * @throws ShapeError
   */
  override forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    options: AttentionMaskOptions = {},
  ): Tensor {
    const { embedDim, numHeads: heads, in_proj_weight: weight, in_proj_bias: bias } = this;
    const expected = [
      weight ?? this.q_proj_weight,
      weight ?? this.k_proj_weight,
      weight ?? this.v_proj_weight,
    ];
    for (const [i, x] of [query, key, value].entries()) {
      requireTensor('MultiheadAttention', x);
      const channels = expected[i]!.shape[1];
      if (x.rank !== 3 || x.shape[2] !== channels) {
        throw new ShapeError(
          `MultiheadAttention: expected ${OPERANDS[i]} [batch, tokens, ${channels}], got shape [${x.shape}]`,
        );
      }
    }
    if (weight && key === query && value === query) {
      return this.out_proj.forward(packedAttention(linear(query, weight, bias), { ...options, heads }));
    }
    const weights = weight ? weight.split(embedDim) : (expected as Tensor[]);
    const biases = bias?.split(embedDim);
    const [q, k, v] = [query, key, value].map((x, i) => linear(x, weights[i], biases?.[i] ?? null));
    return this.out_proj.forward(scaledDotProductAttention(q, k, v, { ...options, heads }));
  }
}
