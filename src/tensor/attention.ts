/** Scaled dot-product attention of tokens [batch, tokens, channels]. */
import { apply } from '../autograd/tape.ts';
import type { MaskKind } from '../backend/kernels.ts';
import { ShapeError, ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { describe, withDefaults } from '../options.ts';
import { where } from './functions.ts';
import { requireTensor, type Tensor } from './tensor.ts';

/**
 * A mask that hides keys from queries, and a bias that is added to scores. Both broadcast to [batch, heads, queries,
 * keys].
 */
export interface AttentionMaskOptions {
  /** A key is used where the mask is not 0, as with PyTorch's boolean `attn_mask`. */
  readonly mask?: Tensor | null;
  /** Added to the scores, as PyTorch's float `attn_mask`. It may require a gradient. */
  readonly bias?: Tensor | null;
  /** Whether query i uses only the keys 0 to i; false by default. */
  readonly isCausal?: boolean;
}

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions extends AttentionMaskOptions {
  /** The number of heads, 1 by default. They divide the channels. */
  readonly heads?: number;
  /** The factor of the products of queries and keys; 1/√(channels of a head) by default. */
  readonly scale?: number | null;
}

/** @throws ValueError unless it is a whole number >= 1 */
export function checkHeads(name: string, heads: number): void {
  if (!(Number.isInteger(heads) && heads >= 1)) {
    throw new ValueError(`${name}: expected a number of heads >= 1, got ${describe(heads)}`);
  }
}

/** The mask as an input of the op. If both are given, they become one tensor that is added. */
function maskInput({ mask, bias }: { mask: Tensor | null; bias: Tensor | null }): {
  kind: MaskKind;
  inputs: readonly Tensor[];
} {
  for (const x of [mask, bias]) if (x !== null) requireTensor('scaledDotProductAttention', x);
  if (mask && bias) return { kind: 'add', inputs: [where(mask, bias, -Infinity)] };
  if (mask) return { kind: 'where', inputs: [mask.detached()] };
  return bias ? { kind: 'add', inputs: [bias] } : { kind: 'none', inputs: [] };
}

/** A mask for a single key is repeated for all keys. */
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
 * Scaled dot-product attention. In each head y = softmax(scale·q·kᵀ + bias)·v, with the softmax over the keys that the
 * mask does not hide. A head is a group of neighbouring channels, so nothing is copied. PyTorch has [batch, heads,
 * tokens, channels]. Reshape a picture [batch, height, width, channels] to tokens; that copies nothing either.
 *
 * If all keys are hidden from a query, its result is 0 and it has no gradient. PyTorch does the same from 2.5 on, and
 * gave NaN before.
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

/** The same for tokens with queries, keys and values side by side: [batch, tokens, 3·channels]. */
export function packedAttention(tokens: Tensor, options: AttentionOptions = {}): Tensor {
  return attend([tokens], true, options);
}
