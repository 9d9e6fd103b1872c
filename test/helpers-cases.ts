/** Random inputs of ops and kernels for property tests: shapes with sizes 0, 1 and odd tails, and extreme numbers. */
import * as fc from 'fast-check';
import type { Shape } from '../src/autograd/variable.ts';

/** Shapes and attributes on which an op can run. */
export interface Case {
  readonly shapes: readonly Shape[];
  readonly attrs: unknown;
}

/** Sizes with every kind of tail: 0, 1, and numbers below and above a vector and a cache line of float32. */
export const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 67] as const;

const size = (max: number) => fc.integer({ min: 0, max });
const positive = (max: number) => fc.integer({ min: 1, max });
const shape = (maxRank: number, max = 5) => fc.array(size(max), { maxLength: maxRank });

/** A shape, and another of the same or lower rank that broadcasts with it. */
const broadcastPair = fc
  .array(fc.tuple(size(5), fc.constantFrom('both', 'left', 'right')), { maxLength: 4 })
  .chain((axes) =>
    fc.tuple(size(axes.length), fc.boolean()).map(([drop, swap]) => {
      const left = axes.map(([n, which]) => (which === 'right' ? 1 : n));
      // One operand may have fewer dimensions: its leading dimensions are missing.
      const right = axes.map(([n, which]) => (which === 'left' ? 1 : n)).slice(drop);
      return swap ? [right, left] : [left, right];
    }),
  );

const elementwise1: fc.Arbitrary<Case> = fc
  .oneof(
    shape(4),
    positive(70).map((n) => [n]),
  )
  .map((x) => ({ shapes: [x], attrs: {} }));

const elementwise2: fc.Arbitrary<Case> = fc
  .oneof(
    broadcastPair,
    positive(70).map((n) => [[n], [n]]),
  )
  .map((shapes) => ({ shapes, attrs: undefined }));

/** Axes of a shape, in ascending order. */
const axesOf = (rank: number) => fc.subarray([...Array(rank).keys()], { minLength: 0, maxLength: rank });

const reduction = (max: number, least: number): fc.Arbitrary<Case> =>
  fc
    .array(fc.integer({ min: least, max }), { maxLength: 4 })
    .chain((x) => fc.tuple(fc.constant(x), axesOf(x.length), fc.boolean()))
    .map(([x, axes, keepDims]) => ({ shapes: [x], attrs: { axes, keepDims } }));

const matmul: fc.Arbitrary<Case> = fc
  .tuple(size(70), size(70), size(70), fc.boolean(), fc.boolean())
  .map(([m, n, k, aT, bT]) => ({
    shapes: [aT ? [k, m] : [m, k], bT ? [n, k] : [k, n]],
    attrs: { aT, bT },
  }));

const linear: fc.Arbitrary<Case> = fc
  .tuple(
    size(20),
    positive(40),
    positive(40),
    fc.boolean(),
    fc.constantFrom('none', 'relu', 'sigmoid', 'tanh'),
  )
  .map(([m, inner, out, bias, activation]) => ({
    shapes: bias
      ? [[m, inner], [out, inner], [out]]
      : [
          [m, inner],
          [out, inner],
        ],
    attrs: { activation },
  }));

const permute: fc.Arbitrary<Case> = shape(4).chain((x) =>
  fc
    .shuffledSubarray([...x.keys()], { minLength: x.length, maxLength: x.length })
    .map((order) => ({ shapes: [x], attrs: { order } })),
);

const slice: fc.Arbitrary<Case> = fc
  .array(
    fc.tuple(size(3), size(4), size(3)).map(([before, n, after]) => ({ before, n, after })),
    { maxLength: 4 },
  )
  .map((axes) => ({
    shapes: [axes.map(({ before, n, after }) => before + n + after)],
    attrs: { begin: axes.map(({ before }) => before), size: axes.map(({ n }) => n) },
  }));

const cat: fc.Arbitrary<Case> = fc
  .tuple(fc.array(size(4), { minLength: 1, maxLength: 3 }), fc.array(size(5), { minLength: 1, maxLength: 4 }))
  .chain(([base, parts]) =>
    size(base.length - 1).map((axis) => ({
      shapes: parts.map((n) => base.with(axis, n)),
      attrs: { axis },
    })),
  );

const broadcastTo: fc.Arbitrary<Case> = fc
  .tuple(fc.array(fc.tuple(size(4), fc.boolean()), { maxLength: 3 }), shape(2, 3))
  .map(([axes, front]) => ({
    shapes: [axes.map(([n, repeats]) => (repeats ? 1 : n))],
    attrs: { shape: [...front, ...axes.map(([n]) => n)] },
  }));

const reshape: fc.Arbitrary<Case> = fc
  .tuple(size(4), size(4), size(4))
  .map(([a, b, c]) => ({ shapes: [[a, b * c]], attrs: { shape: [b, a, c] } }));

const batches: fc.Arbitrary<Case> = fc
  .tuple(broadcastPair, fc.tuple(size(6), size(6), size(6)), fc.boolean(), fc.boolean())
  .map(([[left, right], [m, n, k], aT, bT]) => ({
    shapes: [
      [...left, ...(aT ? [k, m] : [m, k])],
      [...right, ...(bT ? [n, k] : [k, n])],
    ],
    attrs: { aT, bT },
  }));

const where: fc.Arbitrary<Case> = fc.tuple(broadcastPair, fc.boolean()).map(([[left, right], swap]) => ({
  shapes: swap ? [left, right, []] : [right, left, left],
  attrs: undefined,
}));

/** A shape with at least one axis, and one of its axes. */
const axisOf = (least: number) =>
  fc
    .array(fc.integer({ min: least, max: 6 }), { minLength: 1, maxLength: 4 })
    .chain((x) => fc.tuple(fc.constant(x), size(x.length - 1)));

const byIndex = (perElement: boolean): fc.Arbitrary<Case> =>
  fc.tuple(axisOf(1), size(7), fc.integer({ min: 0, max: 999 })).map(([[x, axis], m, seed]) => {
    const count = perElement ? x.with(axis, m).reduce((n, each) => n * each, 1) : m;
    const index = Int32Array.from({ length: count }, (_, i) => (i * i + seed * (i + 1)) % x[axis]);
    return { shapes: [x], attrs: { axis, index, size: m } };
  });

const affineSample: fc.Arbitrary<Case> = fc
  .tuple(
    size(3),
    size(6),
    size(7),
    size(3),
    fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 18, maxLength: 18 }),
  )
  .map(([batch, height, width, channels, matrices]) => ({
    shapes: [[batch, height, width, channels]],
    attrs: { matrices: matrices.slice(0, 6 * batch) },
  }));

const pair = (least: number, max: number) =>
  fc.tuple(fc.integer({ min: least, max }), fc.integer({ min: least, max }));

const conv2d: fc.Arbitrary<Case> = fc
  .record({
    batch: fc.constantFrom(0, 1, 2, 7),
    extra: pair(0, 6),
    kernel: pair(1, 4),
    stride: pair(1, 3),
    dilation: pair(1, 3),
    padding: pair(0, 3),
    groups: fc.constantFrom(1, 1, 2, 3),
    channels: fc.tuple(positive(6), positive(10)),
    bias: fc.boolean(),
    activation: fc.constantFrom('none', 'relu', 'sigmoid', 'tanh'),
  })
  .map(({ batch, extra, kernel, channels: [inner, out], bias, ...attrs }) => {
    const { padding, dilation, groups } = attrs;
    // The dilated kernel is not larger than the padded map.
    const map = [0, 1].map((i) => Math.max(1, dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i] + extra[i]));
    const shapes = [
      [batch, ...map, inner * groups],
      [out * groups, ...kernel, inner],
    ];
    return { shapes: bias ? [...shapes, [out * groups]] : shapes, attrs };
  });

/** Random cases of ops, by name. Ops that are not here have only the samples in their definition. */
export const CASES: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  ...Object.fromEntries(
    [
      'neg',
      'abs',
      'exp',
      'log',
      'sqrt',
      'relu',
      'sigmoid',
      'tanh',
      'silu',
      'sin',
      'cos',
      'erf',
      'gelu',
      'softplus',
    ].map((op) => [op, elementwise1]),
  ),
  leakyRelu: elementwise1.map(({ shapes }) => ({ shapes, attrs: { slope: 0.1 } })),
  clamp: elementwise1.map(({ shapes }) => ({ shapes, attrs: { lo: -0.5, hi: 0.75 } })),
  ...Object.fromEntries(
    ['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'pow'].map((op) => [op, elementwise2]),
  ),
  sum: reduction(6, 0),
  mean: reduction(6, 1),
  max: reduction(6, 1),
  min: reduction(6, 1),
  // The op takes adjacent axes only. Tensor.prod calls it once for each group of adjacent axes.
  prod: reduction(6, 0).map(({ shapes, attrs }) => {
    const { axes, keepDims } = attrs as { axes: number[]; keepDims: boolean };
    return { shapes, attrs: { axes: axes.filter((axis, i) => axis === axes[0] + i), keepDims } };
  }),
  mse: shape(3)
    .filter((x) => !x.includes(0))
    .map((x) => ({ shapes: [x, x], attrs: undefined })),
  matmul: fc.oneof(matmul, batches),
  linear,
  where,
  ...Object.fromEntries(['eq', 'ne', 'gt', 'ge'].map((op) => [op, elementwise2])),
  ...Object.fromEntries(
    ['softmax', 'logSoftmax'].map((op) => [op, axisOf(0).map(([x]) => ({ shapes: [x], attrs: undefined }))]),
  ),
  gather: byIndex(true),
  indexSelect: byIndex(false),
  cumsum: axisOf(0).map(([x, axis]) => ({ shapes: [x], attrs: { axis } })),
  flip: axisOf(0).map(([x, axis]) => ({ shapes: [x], attrs: { axes: axis > 0 ? [0, axis] : [axis] } })),
  conv2d,
  reshape,
  permute,
  slice,
  cat,
  broadcastTo,
  affineSample,
};

/** Extreme float32 numbers: zeros, subnormals, the smallest and the largest normal, infinities and NaN. */
export const SPECIALS: readonly number[] = [
  0,
  2 ** -149,
  2 ** -130,
  2 ** -126,
  2 ** -24,
  0.5,
  1,
  1.5,
  2,
  3,
  80,
  2 ** 24,
  3.4028234663852886e38,
  Infinity,
]
  .flatMap((x) => [x, -x])
  .concat(NaN);
