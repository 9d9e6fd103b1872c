/**
 * Attention over the pixels of small maps, with 4 heads and batch 64. There is the forward pass, and the backward pass
 * to queries, keys and values. Flop are those of the products: two in the forward pass and five in the backward pass.
 * One of the five computes the scores again. Roof: the multiply-add peak on the same number of threads. Twin: loops.
 */
import type { Setting } from './setting.ts';
import type { Make, Subject } from './subject.ts';
import * as twins from './twins-attention.ts';

/** The number of pictures. A quick run has few. */
const BATCH = { quick: 2, full: 64 };
const HEADS = 4;

/** The number of tokens (the pixels of maps 7x7 and 14x14), and the number of channels over all heads. */
const SIZES = [
  [49, 128],
  [196, 128],
  [49, 256],
  [196, 256],
] as const;

const attentionCase =
  (what: 'forward' | 'backward', [tokens, channels]: (typeof SIZES)[number], { quick }: Setting): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const batch = quick ? BATCH.quick : BATCH.full;
    const n = batch * tokens * channels;
    const dim = channels / HEADS;
    const sizes = { batch, heads: HEADS, tokens, dim };
    const [q, k, v, y] = [0, 1, 2, 3].map(() => memory.array(n));
    const rows = ({ ptr }: { readonly ptr: number }) => ({ ptr, row: channels });
    const record = {
      ...{ batch, heads: HEADS, queries: tokens, keys: tokens, dim, valueDim: dim },
      ...{ scale: 1 / Math.sqrt(dim), causal: false, q: rows(q), k: rows(k), v: rows(v) },
      mask: { ptr: 0, kind: 'none' as const, batch: 0, head: 0, row: 0 },
    };
    const product = 2 * batch * HEADS * tokens * tokens * dim;
    const common = {
      name: `attention ${what}`,
      shape: `${batch}x${tokens}x${channels} ${HEADS} heads`,
      roof: memory.multiplyAddPeak(),
    };
    if (what === 'forward') {
      return {
        ...common,
        flop: 2 * product,
        bytes: 16 * n,
        run: () => kernels.attention({ ...record, out: y.ptr }),
        twin: () => twins.attention(sizes, q.twin, k.twin, v.twin, y.twin),
      };
    }
    const gradients = [0, 1, 2].map(() => memory.array(n));
    const [dq, dk, dv] = gradients.map((gradient) => ({ ...rows(gradient), accumulate: false }));
    const operands = [q, k, v, y].map(({ twin }) => twin);
    return {
      ...common,
      flop: 5 * product,
      bytes: 28 * n,
      run: () => kernels.attentionBackward({ ...record, dy: y.ptr, dq, dk, dv, ds: null }),
      twin: () =>
        twins.attentionBackward(
          sizes,
          operands,
          gradients.map(({ twin }) => twin),
        ),
    };
  };

export const attention: Subject = {
  name: 'attention',
  title:
    'Attention over pixels. Twin: loops. Peak: multiply-adds from registers, on the same number of threads. Flop are those of two products in the forward pass and five in the backward pass.',
  cases: (setting: Setting) =>
    SIZES.flatMap((size) => [
      attentionCase('forward', size, setting),
      attentionCase('backward', size, setting),
    ]),
};
