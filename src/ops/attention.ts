/**
 * Scaled dot-product attention: one op for the forward pass and one for the backward pass. The formulas are in
 * assembly/attention/.
 *
 * The inputs are q[batch, m, heads·dim], k[batch, n, heads·dim] and v[batch, n, heads·valueDim]. If `packed`, they are
 * side by side in one [batch, n, 3·heads·dim]. A mask may follow. It broadcasts to [batch, heads, m, n], and its last
 * axis is n. The result is [batch, m, heads·valueDim]. All heads lie in one array, and a stride selects a head.
 */
import { defineOp, type GradSink } from '../autograd/op.ts';
import type { Shape, Variable } from '../autograd/variable.ts';
import { copyArray, type Kernels, type MaskKind, type RowTarget, type Target } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { broadcastStrides, reduceAxes, repeats } from './broadcast.ts';

export interface AttentionAttributes {
  readonly heads: number;
  readonly scale: number;
  readonly causal: boolean;
  /** What the last input does, if there is a mask. */
  readonly mask: MaskKind;
  readonly packed: boolean;
}

/** The sizes that follow from the inputs' shapes. Channels are counted over all heads. */
function sizesOf([q, k = q, v = k]: readonly Shape[], { packed }: AttentionAttributes) {
  if (packed) return { batch: q[0], queries: q[1], keys: q[1], channels: q[2] / 3, values: q[2] / 3 };
  return { batch: q[0], queries: q[1], keys: k[1], channels: q[2], values: v[2] };
}

/** Throws ShapeError unless queries, keys and values fit each other. */
function checkShapes([q, k, v]: readonly Shape[], { heads, packed }: AttentionAttributes): void {
  if (packed) {
    if (q.length !== 3 || q[2] % 3 !== 0) {
      throw new ShapeError(`scaledDotProductAttention: expected [batch, tokens, 3·channels], got [${q}]`);
    }
  } else {
    if ([q, k, v].some((shape) => shape.length !== 3)) {
      throw new ShapeError(
        `scaledDotProductAttention: expected queries, keys and values [batch, tokens, channels], got [${q}], [${k}] and [${v}]`,
      );
    }
    if (k[0] !== q[0] || k[2] !== q[2]) {
      throw new ShapeError(`scaledDotProductAttention: expected keys [${q[0]}, tokens, ${q[2]}], got [${k}]`);
    }
    if (v[0] !== k[0] || v[1] !== k[1]) {
      throw new ShapeError(
        `scaledDotProductAttention: expected values [${k[0]}, ${k[1]}, channels], got [${v}]`,
      );
    }
  }
  for (const channels of packed ? [q[2] / 3] : [q[2], v[2]]) {
    if (channels < 1 || channels % heads !== 0) {
      throw new ShapeError(
        `scaledDotProductAttention: expected channels that ${heads} heads divide, got ${channels}`,
      );
    }
  }
}

/** The shape that a mask broadcasts to. */
function scoresOf(shapes: readonly Shape[], attributes: AttentionAttributes): Shape {
  const { batch, queries, keys } = sizesOf(shapes, attributes);
  return [batch, attributes.heads, queries, keys];
}

/** Throws ShapeError unless the mask broadcasts to the scores. */
function checkMask(mask: Shape, scores: Shape): void {
  const fits =
    mask.length >= 1 &&
    mask.length <= 4 &&
    mask.every((n, i) => n === scores[i + 4 - mask.length] || (n === 1 && i < mask.length - 1));
  if (!fits) {
    throw new ShapeError(
      `scaledDotProductAttention: expected a mask that broadcasts to [${scores}], got [${mask}]`,
    );
  }
}

const maskOf = (xs: readonly Variable[], { mask }: AttentionAttributes) =>
  mask === 'none' ? null : xs[xs.length - 1];

/** The fields of the kernels' records that follow from the inputs. */
function recordOf(xs: readonly Variable[], attributes: AttentionAttributes) {
  const { heads, scale, causal, packed } = attributes;
  const shapes = xs.map(({ shape }) => shape);
  const { batch, queries, keys, channels, values } = sizesOf(shapes, attributes);
  const mask = maskOf(xs, attributes);
  const [maskBatch, head, row] = mask
    ? broadcastStrides(mask.shape, scoresOf(shapes, attributes))
    : [0, 0, 0];
  const bytes = channels * xs[0].backend.elementBytes;
  const rows = packed
    ? [0, 1, 2].map((i) => ({ ptr: xs[0].ptr + i * bytes, row: 3 * channels }))
    : [0, 1, 2].map((i) => ({ ptr: xs[i].ptr, row: xs[i].shape[2] }));
  return {
    ...{ batch, heads, queries, keys, scale, causal },
    dim: channels / heads,
    valueDim: values / heads,
    q: rows[0],
    k: rows[1],
    v: rows[2],
    mask: { ptr: mask?.ptr ?? 0, kind: attributes.mask, batch: maskBatch, head, row },
  };
}

/** Where the gradients of q, k and v go. If two of them have the same target, `finish` adds the second one later. */
function targetsOf(k: Kernels, xs: readonly Variable[], into: GradSink, packed: boolean) {
  const found: (RowTarget | null)[] = [null, null, null];
  const late: (() => void)[] = [];
  for (let i = 0; i < (packed ? 1 : 3); i++) {
    into(i, (out: Target) => {
      const { size, shape } = xs[i];
      if (found.every((other) => other?.ptr !== out.ptr)) found[i] = { ...out, row: shape[2] };
      else {
        const ptr = into.scratch(size);
        found[i] = { ptr, row: shape[2], accumulate: false };
        late.push(() => copyArray(k, size, ptr, out));
      }
    });
  }
  if (packed && found[0]) {
    const { ptr, row, accumulate } = found[0];
    const bytes = (row / 3) * xs[0].backend.elementBytes;
    for (const i of [1, 2]) found[i] = { ptr: ptr + i * bytes, row, accumulate };
  }
  const finish = () => {
    for (const add of late) add();
  };
  return { dq: found[0], dk: found[1], dv: found[2], finish };
}

export const attention = defineOp<AttentionAttributes>({
  name: 'attention',
  shape(shapes, attributes) {
    checkShapes(shapes, attributes);
    const { batch, queries, values } = sizesOf(shapes, attributes);
    if (attributes.mask !== 'none') checkMask(shapes[shapes.length - 1], scoresOf(shapes, attributes));
    return [batch, queries, values];
  },
  forward(k, y, xs, attributes) {
    k.attention({ ...recordOf(xs, attributes), out: y.ptr });
  },
  saves: [0, 1, 2, 3],
  vjp(k, dy, _y, xs, into, attributes) {
    const mask = maskOf(xs, attributes);
    const scores = scoresOf(
      xs.map(({ shape }) => shape),
      attributes,
    );
    const wanted = attributes.mask === 'add' && into.wants(xs.length - 1);
    const ds = wanted ? into.scratch(scores.reduce((product, n) => product * n, 1)) : null;
    const { finish, ...targets } = targetsOf(k, xs, into, attributes.packed);
    k.attentionBackward({ ...recordOf(xs, attributes), dy: dy.ptr, ...targets, ds });
    finish();
    if (mask === null) return;
    into(xs.length - 1, (out) => {
      if (ds !== null) {
        const over = repeats(mask.shape, scores);
        reduceAxes(dy.backend, 'sum', { ptr: ds, shape: scores, over, scratch: into.scratch }, out);
      } else if (!out.accumulate) k.fill({ n: mask.size, out: out.ptr, value: 0 });
    });
  },
  benchmark: sample(
    [
      [64, 49, 128],
      [64, 49, 128],
      [64, 49, 128],
    ],
    { heads: 4 },
  ),
  samples: () => [
    sample(
      [
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
      ],
      {},
    ),
    sample([[2, 15, 30]], { heads: 2, packed: true }),
    sample(
      [
        [1, 9, 12],
        [1, 1, 9],
      ],
      { packed: true, mask: 'add', causal: true },
    ),
    sample(
      [
        [7, 5, 3],
        [7, 2, 3],
        [7, 2, 6],
      ],
      { heads: 3 },
    ),
    sample(
      [
        [2, 13, 10],
        [2, 6, 10],
        [2, 6, 2],
        [2, 2, 13, 6],
      ],
      { heads: 2, mask: 'add' },
    ),
    sample(
      [
        [2, 4, 8],
        [2, 7, 8],
        [2, 7, 8],
        [2, 1, 1, 7],
      ],
      { heads: 2, mask: 'add', scale: -0.5 },
    ),
    sample(
      [
        [1, 3, 5],
        [1, 9, 5],
        [1, 9, 5],
        [3, 9],
      ],
      { mask: 'where', causal: true },
    ),
    sample(
      [
        [0, 3, 2],
        [0, 3, 2],
        [0, 3, 2],
      ],
      {},
    ),
    sample(
      [
        [2, 0, 2],
        [2, 3, 2],
        [2, 3, 2],
      ],
      {},
    ),
    sample(
      [
        [2, 3, 2],
        [2, 0, 2],
        [2, 0, 2],
      ],
      {},
    ),
  ],
});

function sample(shapes: readonly Shape[], given: Partial<AttentionAttributes>) {
  return {
    shapes,
    attrs: { heads: 1, scale: 0.7, causal: false, mask: 'none', packed: false, ...given } as const,
  };
}
