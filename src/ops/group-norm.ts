/**
 * Group normalisation of pictures with the channels last, optionally followed by SiLU, as one op. The formulas are in
 * assembly/norm/group-norm.ts.
 *
 * The inputs are x[batch, ..., channels] and, if the attributes say so, a weight[channels] and a bias[channels].
 */
import { defineOp } from '../autograd/op.ts';
import { sizeOf, type Variable } from '../autograd/variable.ts';
import type { Target } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';

export interface GroupNormAttributes {
  readonly groups: number;
  readonly eps: number;
  readonly silu: boolean;
  readonly weight: boolean;
  readonly bias: boolean;
}

/** The number of positions added in float32, for shapes without rows such as [batch, time, channels]. */
const RUN = 64;

/** The fields of the kernels' records that follow from the inputs. */
function recordOf([x, ...parameters]: readonly Variable[], attributes: GroupNormAttributes) {
  const { shape } = x;
  const positions = sizeOf(shape.slice(1, -1));
  const width = shape.length > 3 ? shape[shape.length - 2] : Math.min(positions, RUN);
  const { groups, eps, silu, weight, bias } = attributes;
  return {
    batch: shape[0],
    positions,
    run: Math.max(1, width),
    channels: shape[shape.length - 1],
    ...{ groups, eps, silu },
    x: x.ptr,
    weight: weight ? parameters[0].ptr : null,
    bias: bias ? parameters[weight ? 1 : 0].ptr : null,
  };
}

export const groupNorm = defineOp<GroupNormAttributes>({
  name: 'groupNorm',
  shape([x, ...parameters], { groups }) {
    const channels = x[x.length - 1];
    if (x.length < 2) throw new ShapeError(`groupNorm: expected [batch, ..., channels], got shape [${x}]`);
    if (groups < 1 || channels % groups !== 0) {
      throw new ShapeError(`groupNorm: expected channels in ${groups} equal groups, got ${channels}`);
    }
    const wrong = parameters.find((shape) => shape.length !== 1 || shape[0] !== channels);
    if (wrong) {
      throw new ShapeError(`groupNorm: expected a weight and a bias [${channels}], got [${wrong}]`);
    }
    return x;
  },
  forward(k, y, xs, attributes) {
    if (y.size > 0) k.groupNorm({ ...recordOf(xs, attributes), out: y.ptr });
  },
  saves: [0, 1, 2],
  vjp(k, dy, _y, xs, into, attributes) {
    const record = recordOf(xs, attributes);
    const { batch, channels } = record;
    const parameters = xs.slice(1).map((_, i) => i + 1);
    const sums = parameters.some((i) => into.wants(i)) ? into.scratch(2 * batch * channels) : null;
    // Maps without positions have no statistics. Their weight and bias get a gradient of 0.
    if (sums !== null && dy.size === 0) k.fill({ n: 2 * batch * channels, out: sums, value: 0 });
    const run = (out: Target | null) => {
      if (dy.size > 0) k.groupNormBackward({ ...record, dy: dy.ptr, sums, out });
    };
    if (into.wants(0)) into(0, run);
    else run(null);
    for (const i of parameters) {
      const part = attributes.weight && i === 1 ? 0 : batch * channels * dy.backend.elementBytes;
      into(i, (out) =>
        k.reduce('sum', { outer: 1, n: batch, inner: channels, x: (sums ?? 0) + part, alpha: 1, out }),
      );
    }
  },
  benchmark: {
    shapes: [[64, 28, 28, 32], [32], [32]],
    attrs: { groups: 8, eps: 1e-5, silu: true, weight: true, bias: true },
  },
  samples: () =>
    [
      [[1, 3, 5, 6], 3],
      [[2, 2, 3, 4], 4],
      [[7, 1, 2, 1], 1],
      [[2, 3, 21], 3],
      [[3, 24], 2],
      [[2, 3, 2, 20], 5],
      [[0, 3, 4], 2],
      [[2, 0, 4], 2],
    ].flatMap(([shape, groups], i) => {
      const x = shape as readonly number[];
      const channels = [x[x.length - 1]];
      const eps = 0.1;
      const common = { groups: groups as number, eps };
      return [
        {
          shapes: [x, channels, channels],
          attrs: { ...common, silu: i % 2 === 0, weight: true, bias: true },
        },
        i % 2 === 0
          ? { shapes: [x], attrs: { ...common, silu: false, weight: false, bias: false } }
          : { shapes: [x, channels], attrs: { ...common, silu: true, weight: i === 1, bias: i !== 1 } },
      ];
    }),
});
