/**
 * Nearest upsampling by 2 and a 3x3 convolution with padding 1 as one op, from x[b,h,w,in] to y[b,2h,2w,out]. The
 * upsampled map is never stored.
 *
 * A row of y reads three rows of the upsampled map, and two of them are the same row of x. The even and odd rows and
 * columns divide y into four phases. Each phase is a 2x2 convolution of x, and its weights are sums of taps of the 3x3
 * kernel. That takes 4 products for each element instead of 9. The four phases together are a transposed convolution
 * with a 4x4 kernel, stride 2 and padding 1. Along each side its weights are
 *
 *     w4 = (w2, w1 + w2, w0 + w1, w0)
 *
 * So the kernels of convolutions compute the forward pass and both gradients. The gradient of each sum is added to the
 * taps of that sum.
 *
 * Accuracy: as for the sum of 9·in products. The sums of taps add one or two roundings.
 */
import { defineOp } from '../autograd/op.ts';
import type { Shape } from '../autograd/variable.ts';
import { type ConvSizes, copyArray, type Kernels, type Ptr, type View2d } from '../backend/kernels.ts';
import { ShapeError } from '../errors.ts';
import { epilogueGradient, type FusedActivation } from './epilogue.ts';
import { checkPictures } from './pictures.ts';
import { withScratch } from './scratch.ts';

/** For each tap of the 4x4 along one side, the taps of the 3x3 that it is the sum of. */
const TAPS = [[2], [1, 2], [0, 1], [0]] as const;

/** The number of elements of the 4x4 weights [in,4,4,out]. */
export const phaseElements = (inChannels: number, outChannels: number) => 16 * inChannels * outChannels;

/** The convolution from y to x. The op is its gradient to the input. */
export function phaseSizes([batch, height, width, inChannels]: Shape, outChannels: number): ConvSizes {
  return {
    ...{ batch, height: 2 * height, width: 2 * width, inChannels: outChannels, outChannels: inChannels },
    ...{ kernelHeight: 4, kernelWidth: 4, strideHeight: 2, strideWidth: 2 },
    ...{ paddingHeight: 1, paddingWidth: 1, dilationHeight: 1, dilationWidth: 1, groups: 1 },
  };
}

/** Calls `visit` with each pair of a 3x3 tap and a 4x4 tap whose sum contains it, as matrices [out,in]. */
function forEachTap(
  { inChannels: out, outChannels: inner }: ConvSizes,
  bytes: number,
  visit: (at: {
    tap: number;
    w: Omit<View2d, 'ptr'>;
    wAt: number;
    w4: Omit<View2d, 'ptr'>;
    w4At: number;
  }) => void,
): void {
  const w = { row: 9 * inner, col: 1 };
  const w4 = { row: 1, col: 16 * out };
  for (const [t, rows] of TAPS.entries()) {
    for (const [u, columns] of TAPS.entries()) {
      for (const ky of rows) {
        for (const kx of columns) {
          const tap = 3 * ky + kx;
          visit({ tap, w, wAt: tap * inner * bytes, w4, w4At: (4 * t + u) * out * bytes });
        }
      }
    }
  }
}

/** w4[in,4,4,out] from w[out,3,3,in]. */
export function tapsToPhases(k: Kernels, s: ConvSizes, bytes: number, w: Ptr, w4: Ptr): void {
  const begun = new Set<number>();
  forEachTap(s, bytes, (at) => {
    k.copy({
      ...{ rows: s.inChannels, cols: s.outChannels, alpha: 1, accumulate: begun.has(at.w4At) },
      x: { ptr: w + at.wAt, ...at.w },
      y: { ptr: w4 + at.w4At, ...at.w4 },
    });
    begun.add(at.w4At);
  });
}

/** dw[out,3,3,in] from dw4[in,4,4,out]. */
export function phasesToTaps(k: Kernels, s: ConvSizes, bytes: number, dw4: Ptr, dw: Ptr): void {
  const begun = new Set<number>();
  forEachTap(s, bytes, (at) => {
    k.copy({
      ...{ rows: s.inChannels, cols: s.outChannels, alpha: 1, accumulate: begun.has(at.tap) },
      x: { ptr: dw4 + at.w4At, ...at.w4 },
      y: { ptr: dw + at.wAt, ...at.w },
    });
    begun.add(at.tap);
  });
}

/** The inputs are x, w[out,3,3,in] and, if there is one, the bias [out]. */
export const upsampleConv2d = defineOp<{ readonly activation: FusedActivation }>({
  name: 'upsampleConv2d',
  shape([x, w, b]) {
    checkPictures('upsampleConv2d', x);
    const [batch, height, width, channels] = x;
    if (w.length !== 4 || w[1] !== 3 || w[2] !== 3 || w[3] !== channels || w.includes(0)) {
      throw new ShapeError(`upsampleConv2d: expected weights [out,3,3,${channels}], got [${w}]`);
    }
    if (b && (b.length !== 1 || b[0] !== w[0])) {
      throw new ShapeError(`upsampleConv2d: expected a bias [${w[0]}], got [${b}]`);
    }
    return [batch, 2 * height, 2 * width, w[0]];
  },
  forward(k, y, [x, w, b], { activation }) {
    const sizes = phaseSizes(x.shape, w.shape[0]);
    const { elementBytes } = y.backend;
    withScratch(y.backend, (scratch) => {
      const w4 = scratch(phaseElements(x.shape[3], w.shape[0]));
      tapsToPhases(k, sizes, elementBytes, w.ptr, w4);
      const out = { ptr: y.ptr, accumulate: false };
      k.conv2dInputGradient({ ...sizes, dy: x.ptr, w: w4, bias: b?.ptr ?? null, activation, out });
    });
  },
  saves: [0, 1, 'y'],
  multilinear: true,
  vjp(k, dy, y, [x, w, b], into, { activation }) {
    const sizes = phaseSizes(x.shape, w.shape[0]);
    const { elementBytes } = y.backend;
    const dz = epilogueGradient(k, activation, dy, y, b, into);
    const w4 = into.scratch(phaseElements(x.shape[3], w.shape[0]));
    into(1, (out) => {
      k.conv2dWeightGradient({ ...sizes, x: dz, dy: x.ptr, out: { ptr: w4, accumulate: false } });
      // We sum apart from the earlier gradient and then add. So the gradient of each pass is rounded as if it were
      // alone.
      const dw = out.accumulate ? into.scratch(w.size) : out.ptr;
      phasesToTaps(k, sizes, elementBytes, w4, dw);
      if (out.accumulate) copyArray(k, w.size, dw, out);
    });
    into(0, (out) => {
      tapsToPhases(k, sizes, elementBytes, w.ptr, w4);
      k.conv2d({ ...sizes, x: dz, w: w4, out });
    });
  },
  benchmark: {
    shapes: [[4, 7, 7, 16], [16, 3, 3, 16], [16]],
    attrs: { activation: 'none' },
  },
  samples: () => [
    { shapes: [[1, 3, 5, 1], [1, 3, 3, 1], [1]], attrs: { activation: 'none' } },
    { shapes: [[7, 3, 5, 2], [5, 3, 3, 2], [5]], attrs: { activation: 'relu' } },
    {
      shapes: [
        [2, 1, 1, 6],
        [3, 3, 3, 6],
      ],
      attrs: { activation: 'tanh' },
    },
    { shapes: [[1, 2, 1, 9], [8, 3, 3, 9], [8]], attrs: { activation: 'sigmoid' } },
    { shapes: [[0, 2, 2, 2], [3, 3, 3, 2], [3]], attrs: { activation: 'none' } },
  ],
});
