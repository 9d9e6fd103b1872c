/** Scaled dot-product attention of tokens [batch, tokens, channels]. */
import { apply } from '../autograd/tape.ts';
import type { MaskKind } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { describe, withDefaults } from '../options.ts';
import { where } from './functions.ts';
import { requireTensor, type Tensor } from './tensor.ts';

/** What hides keys from queries, and what is added to scores. Both broadcast to [batch, heads, queries, keys]. */
export interface AttentionMaskOptions {
  /** A key takes part where this is not 0, as with PyTorch's boolean `attn_mask`. */
  readonly mask?: Tensor | null;
  /** Added to the scores, as PyTorch's float `attn_mask`; its gradient is computed if wanted. */
  readonly bias?: Tensor | null;
  /** Whether query i sees the keys 0 to i alone; false by default. */
  readonly isCausal?: boolean;
}

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions extends AttentionMaskOptions {
  /** Heads that the channels are cut into; 1 by default. */
  readonly heads?: number;
  /** Factor of the products of queries and keys; 1/√(channels of a head) by default. */
  readonly scale?: number | null;
}

/** @throws ValueError unless it is a whole number >= 1 */
export function checkHeads(name: string, heads: number): void {
  if (!(Number.isInteger(heads) && heads >= 1)) {
    throw new ValueError(`${name}: expected a number of heads >= 1, got ${describe(heads)}`);
  }
}

/** The mask as an input of the op: both at once are one that is added. */
function maskInput({ mask, bias }: { mask: Tensor | null; bias: Tensor | null }): {
  kind: MaskKind;
  inputs: readonly Tensor[];
} {
  for (const x of [mask, bias]) if (x !== null) requireTensor('scaledDotProductAttention', x);
  if (mask && bias) return { kind: 'add', inputs: [where(mask, bias, -Infinity)] };
  if (mask) return { kind: 'where', inputs: [mask.detached()] };
  return bias ? { kind: 'add', inputs: [bias] } : { kind: 'none', inputs: [] };
}

/** A mask of one key stands for all of them. */
function overKeys(mask: Tensor, keys: number): Tensor {
  if (mask.rank === 0) return mask.broadcastTo(keys);
  const last = mask.shape[mask.rank - 1];
  return last === 1 && keys !== 1 ? mask.broadcastTo(...mask.shape.slice(0, -1), keys) : mask;
}

function attend(operands: readonly Tensor[], packed: boolean, options: AttentionOptions): Tensor {
  const { heads, mask, bias, scale, isCausal } = withDefaults('scaledDotProductAttention', options, {
    ...{ heads: 1, mask: null, bias: null, scale: null, isCausal: false },
  });
  for (const x of operands) requireTensor('scaledDotProductAttention', x);
  checkHeads('scaledDotProductAttention', heads);
  if (scale !== null && !Number.isFinite(scale)) {
    throw new ValueError(`scaledDotProductAttention: expected a finite scale, got ${describe(scale)}`);
  }
  const [q, k = q] = operands;
  if (q.rank === 0)
    throw new ShapeError('scaledDotProductAttention: expected [batch, tokens, channels], got a scalar');
  const dim = q.shape[q.rank - 1] / heads / (packed ? 3 : 1);
  const { kind, inputs } = maskInput({ mask, bias });
  return apply(ops.attention, [...operands, ...inputs.map((x) => overKeys(x, k.shape[1]))], {
    ...{ heads, causal: isCausal, packed, mask: kind },
    scale: scale ?? 1 / Math.sqrt(dim),
  });
}

/**
 * Scaled dot-product attention: in each head y = softmax(scale·q·kᵀ + bias)·v, the softmax over the keys that the mask
 * leaves. Heads are neighbouring channels, so that nothing is copied; PyTorch has [batch, heads, tokens, channels]. A
 * picture [batch, height, width, channels] is reshaped to tokens, which copies nothing either.
 *
 * A query that every key is hidden from gets zeros, and has no gradient, as in PyTorch from 2.5 on (before: NaN).
 *
 * @param query [batch, queries, channels]
 * @param key [batch, keys, channels]
 * @param value [batch, keys, value channels]
 * @returns [batch, queries, value channels]
 * @throws ShapeError for shapes that do not fit, channels that the heads do not divide, or a mask of another size
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  return attend([query, key, value], false, options);
}

/** The same of tokens whose queries, keys and values are side by side: [batch, tokens, 3·channels]. */
export function packedAttention(tokens: Tensor, options: AttentionOptions = {}): Tensor {
  return attend([tokens], true, options);
}
