/**
 * Scaled dot-product attention with the operators of ONNX: softmax(scale·q·kᵀ)·v in each head. All heads of a token lie side
 * by side, [batch, tokens, heads·dim], and are [batch, heads, tokens, dim] inside. Left out: causal attention and masks
 * that are added, which no network has.
 */
import { InternalError } from '../../errors.ts';
import type { AttentionAttributes } from '../../ops/attention.ts';
import type { Graph, Value } from './graph.ts';
import type { Call } from './rules.ts';

/** The order [batch, heads, tokens, dim] of [batch, tokens, heads, dim], and that of the keys' transposes. */
const HEADS = [0, 2, 1, 3];
const TRANSPOSED = [0, 2, 3, 1];

/** The columns of queries, keys and values in one array [batch, tokens, 3·channels]. */
function parts(g: Graph, packed: Value): string[] {
  const channels = packed.shape[2] / 3;
  return [0, 1, 2].map((i) =>
    g.node('Slice', [g.in('last', packed), ...[g.ints(i * channels), g.ints((i + 1) * channels), g.ints(2)]]),
  );
}

export function attention(g: Graph, { xs, attrs, shape }: Call<AttentionAttributes>): string {
  const { heads, scale, causal, mask, packed } = attrs;
  if (causal || mask === 'add') {
    throw new InternalError(`onnx: expected attention without order and bias, got mask ${mask}`);
  }
  const [q, k, v] = packed ? parts(g, xs[0]) : xs.slice(0, 3).map((x) => g.in('last', x));
  const split = (x: string, perm: readonly number[]) =>
    g.node('Transpose', [g.node('Reshape', [x, g.ints(0, 0, heads, -1)])], { perm });
  const products = g.node('MatMul', [split(q, HEADS), split(k, TRANSPOSED)]);
  let scores = g.node('Mul', [products, g.number(scale)]);
  if (mask === 'where') {
    const isUsed = g.in('last', xs[xs.length - 1]);
    scores = g.node('Where', [isUsed, scores, g.number(-Infinity)]);
  }
  const shares = g.node('Softmax', [scores], { axis: -1 });
  const attended = g.node('Transpose', [g.node('MatMul', [shares, split(v, HEADS)])], { perm: HEADS });
  return g.reshape(attended, shape, true);
}
