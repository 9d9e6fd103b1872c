/**
 * Multi-head attention as a layer, with PyTorch's names and initial values. in_proj_weight is drawn from U(-b, b) with
 * b = √(6/(rows + columns)) (xavier_uniform). out_proj.weight is drawn as in `Linear`. All biases are 0.
 *
 * There are three differences to PyTorch. The batch always comes first (`batch_first=True`). The result is only the
 * tensor, without the probabilities. A mask is not 0 where a key is used, as in `scaledDotProductAttention`. Left out:
 * dropout of probabilities, bias_k, bias_v and add_zero_attn.
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
  /** The number of channels of keys; by default that of queries. */
  readonly kdim?: number | null;
  /** The number of channels of values; by default that of queries. */
  readonly vdim?: number | null;
  /** The generator for the initial values. */
  readonly rng?: Rng;
}

/** The variance of activations and gradients stays about the same from layer to layer: Glorot and Bengio (2010). */
const xavier = (rows: number, columns: number, rng: Rng) =>
  uniformParameter([rows, columns], Math.sqrt(6 / (rows + columns)), rng);

const OPERANDS = ['a query', 'a key', 'a value'] as const;

/** Self-attention or cross-attention of tokens [batch, tokens, channels]. */
export class MultiheadAttention extends Layer {
  /** The projections to queries, keys and values, one below the other. It is null if kdim or vdim differ. */
  readonly in_proj_weight: Tensor | null = null;
  /** The projection to queries, [embedDim, embedDim]. It is null if `in_proj_weight` is not. */
  readonly q_proj_weight: Tensor | null = null;
  /** The projection to keys, [embedDim, kdim]. It is null if `in_proj_weight` is not. */
  readonly k_proj_weight: Tensor | null = null;
  /** The projection to values, [embedDim, vdim]. It is null if `in_proj_weight` is not. */
  readonly v_proj_weight: Tensor | null = null;
  /** The biases of queries, keys and values, [3·embedDim], or null without biases. */
  readonly in_proj_bias: Tensor | null;
  /** The projection of the result, from embedDim to embedDim. */
  readonly out_proj: Linear;

  /**
   * @param embedDim the channels of queries and of the result
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
   * @param options `isCausal`, and a mask or a bias that broadcasts to [batch, heads, queries, keys]
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
