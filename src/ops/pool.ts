/**
 * Poolings of pictures [batch, height, width, channels], and nearest upsampling. Both use the same kernels: the
 * gradient of a sum repeats a pixel, and the gradient of a repeated pixel is a sum. The formulas are in assembly/pool/.
 */
import { defineOp, type Sample } from '../autograd/op.ts';
import type { Shape } from '../autograd/variable.ts';
import { type PoolSizes, poolPlaces } from '../backend/kernels.ts';
import { ValueError } from '../errors.ts';
import { checkPictures, checkSpan, checkTwo, type Two } from './pictures.ts';

export interface Pooling {
  readonly kernel: Two;
  readonly stride: Two;
  readonly padding: Two;
}

export interface Averaging extends Pooling {
  /**
   * The sum of a window is divided by this number. With `inside` it is divided by the number of pixels inside the map.
   */
  readonly divisor: number | 'inside';
}

function sizesOf(x: Shape, { kernel, stride, padding }: Pooling): PoolSizes {
  return {
    ...{ batch: x[0], height: x[1], width: x[2], channels: x[3] },
    ...{ kernelHeight: kernel[0], kernelWidth: kernel[1] },
    ...{ strideHeight: stride[0], strideWidth: stride[1] },
    ...{ paddingHeight: padding[0], paddingWidth: padding[1] },
  };
}

/** The shape of a pooling's result. Throws if the sizes do not fit. */
function pooled(op: string, x: Shape, attrs: Pooling): Shape {
  const { kernel, stride, padding } = attrs;
  checkPictures(op, x);
  checkTwo(op, 'kernelSize', kernel, 1);
  checkTwo(op, 'stride', stride, 1);
  checkTwo(op, 'padding', padding, 0);
  if (padding.some((n, i) => 2 * n > kernel[i])) {
    throw new ValueError(
      `${op}: expected a padding of at most half the kernel ${kernel[0]}x${kernel[1]}, got ${padding[0]} and ${padding[1]}`,
    );
  }
  checkSpan(op, x, padding, kernel);
  return [x[0], ...poolPlaces(sizesOf(x, attrs)), x[3]];
}

/** Odd maps, one channel, and windows that overlap, leave gaps or reach beyond the edges. */
const SAMPLES: readonly Sample<Pooling>[] = [
  sample([1, 3, 5, 1], [2, 2]),
  sample([7, 3, 5, 5], [2, 3]),
  sample([2, 5, 7, 4], [3, 3], { stride: [2, 2], padding: [1, 1] }),
  sample([1, 4, 6, 6], [3, 2], { stride: [1, 1], padding: [1, 0] }),
  sample([2, 5, 6, 3], [1, 2], { stride: [2, 3], padding: [0, 1] }),
  sample([1, 1, 1, 17], [1, 1]),
  sample([0, 4, 4, 3], [2, 2]),
];

function sample(x: Shape, kernel: Two, given: Partial<Pooling> = {}): Sample<Pooling> {
  return { shapes: [x], attrs: { kernel, stride: kernel, padding: [0, 0], ...given } };
}

const BENCHMARK: Sample<Pooling> = sample([64, 28, 28, 32], [2, 2]);

/** y = max of each window. dy goes to the first pixel that equals the maximum. */
export const maxPool2d = defineOp<Pooling>({
  name: 'maxPool2d',
  shape: ([x], attrs) => pooled('maxPool2d', x, attrs),
  forward: (k, y, [x], attrs) => k.maxPool({ ...sizesOf(x.shape, attrs), x: x.ptr, out: y.ptr }),
  saves: [0, 'y'],
  vjp: (k, dy, y, [x], into, attrs) =>
    into(0, (out) => k.maxPoolBackward({ ...sizesOf(x.shape, attrs), x: x.ptr, y: y.ptr, dy: dy.ptr, out })),
  benchmark: BENCHMARK,
  samples: () => SAMPLES,
});

/** alpha and `inside` of the kernels. */
const factor = ({ divisor }: Averaging) =>
  divisor === 'inside' ? { alpha: 1, inside: true } : { alpha: 1 / divisor, inside: false };

/** y = Σ of each window, divided by the divisor. */
export const avgPool2d = defineOp<Averaging>({
  name: 'avgPool2d',
  shape: ([x], attrs) => pooled('avgPool2d', x, attrs),
  forward: (k, y, [x], attrs) =>
    k.averagePool({
      ...sizesOf(x.shape, attrs),
      ...factor(attrs),
      x: x.ptr,
      out: { ptr: y.ptr, accumulate: false },
    }),
  saves: [],
  vjp: (k, dy, _y, [x], into, attrs) =>
    into(0, (out) =>
      k.averagePoolBackward({ ...sizesOf(x.shape, attrs), ...factor(attrs), dy: dy.ptr, out }),
    ),
  benchmark: { ...BENCHMARK, attrs: { ...BENCHMARK.attrs, divisor: 4 } },
  samples: () =>
    SAMPLES.flatMap(({ shapes, attrs }) =>
      ([attrs.kernel[0] * attrs.kernel[1], 'inside'] as const).map((divisor) => ({
        shapes,
        attrs: { ...attrs, divisor },
      })),
    ),
});

/** Windows side by side that cover a map which is `scale` times as large as x's. */
function side(x: Shape, scale: Two): PoolSizes {
  const [batch, height, width, channels] = x;
  const large = [batch, height * scale[0], width * scale[1], channels];
  return sizesOf(large, { kernel: scale, stride: scale, padding: [0, 0] });
}

/** Repeats each pixel scale[0] x scale[1] times. dx is the sum of dy over the copies. */
export const upsample = defineOp<{ readonly scale: Two }>({
  name: 'upsample',
  shape([x], { scale }) {
    checkPictures('upsample', x);
    checkTwo('upsample', 'scaleFactor', scale, 1);
    return [x[0], x[1] * scale[0], x[2] * scale[1], x[3]];
  },
  forward: (k, y, [x], { scale }) =>
    k.averagePoolBackward({
      ...side(x.shape, scale),
      ...{ alpha: 1, inside: false },
      dy: x.ptr,
      out: { ptr: y.ptr, accumulate: false },
    }),
  saves: [],
  vjp: (k, dy, _y, [x], into, { scale }) =>
    into(0, (out) =>
      k.averagePool({ ...side(x.shape, scale), ...{ alpha: 1, inside: false }, x: dy.ptr, out }),
    ),
  benchmark: { shapes: [[64, 14, 14, 32]], attrs: { scale: [2, 2] } },
  samples: () => [
    { shapes: [[1, 3, 5, 1]], attrs: { scale: [2, 2] } },
    { shapes: [[7, 3, 5, 6]], attrs: { scale: [2, 2] } },
    { shapes: [[2, 1, 2, 17]], attrs: { scale: [3, 1] } },
    { shapes: [[1, 2, 1, 4]], attrs: { scale: [1, 1] } },
    { shapes: [[0, 2, 2, 3]], attrs: { scale: [2, 2] } },
  ],
});
