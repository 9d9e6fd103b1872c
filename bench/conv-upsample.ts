/**
 * Nearest upsampling by 2 and a 3x3 convolution as one op, in the forward pass and both gradients. Flop are those of
 * the direct sum over the upsampled map, 2·9·in·out for each pixel of the result. The kernels do four ninths of this
 * work. The twin upsamples, and then runs the loops of a convolution.
 */
import type { Shape } from '../src/autograd/variable.ts';
import type { ConvSizes } from '../src/backend/kernels.ts';
import { phaseElements, phaseSizes, phasesToTaps, tapsToPhases } from '../src/ops/upsample-conv2d.ts';
import type { Setting } from './setting.ts';
import type { Make } from './subject.ts';
import * as twins from './twins-conv.ts';

/** The side of x, and the channels of x and of y. */
type Layer = readonly [side: number, inChannels: number, outChannels: number];
type Direction = Parameters<typeof twins.conv2d>[0];

const LAYERS: readonly Layer[] = [
  [14, 64, 32],
  [7, 128, 64],
];

/** The 3x3 convolution of the upsampled map. */
const plainSizes = ([batch, height, width, inChannels]: Shape, outChannels: number): ConvSizes => ({
  ...{
    batch,
    height: 2 * height,
    width: 2 * width,
    inChannels,
    outChannels,
    kernelHeight: 3,
    kernelWidth: 3,
  },
  ...{ strideHeight: 1, strideWidth: 1, paddingHeight: 1, paddingWidth: 1 },
  ...{ dilationHeight: 1, dilationWidth: 1, groups: 1 },
});

/** x with each pixel repeated along both sides, or with `back` the sum of each pixel's four copies. */
function upsampled([batch, height, width, channels]: Shape, x: Float32Array, u: Float32Array, back = false) {
  if (back) x.fill(0);
  for (let row = 0, at = 0; row < batch * height * 2; row++) {
    for (let column = 0; column < width * 2; column++) {
      const pixel = ((row >> 1) * width + (column >> 1)) * channels;
      for (let c = 0; c < channels; c++, at++) {
        if (back) x[pixel + c] += u[at];
        else u[at] = x[pixel + c];
      }
    }
  }
}

const upsampleCase =
  (direction: Direction, [side, inChannels, outChannels]: Layer, { quick }: Setting): Make =>
  (memory) => {
    const { kernels: k, elementBytes } = memory.backend;
    const shape = [quick ? 2 : 64, side, side, inChannels];
    const [sizes, plain] = [phaseSizes(shape, outChannels), plainSizes(shape, outChannels)];
    const places = shape[0] * 4 * side * side;
    const n = [(places / 4) * inChannels, 9 * inChannels * outChannels, places * outChannels];
    const [x, w, y] = n.map((size) => memory.array(size, -0.3, 0.3));
    const w4 = memory.block(phaseElements(inChannels, outChannels));
    const to = (ptr: number) => ({ ptr, accumulate: false });
    const run = {
      forward() {
        tapsToPhases(k, sizes, elementBytes, w.ptr, w4);
        k.conv2dInputGradient({ ...sizes, dy: x.ptr, w: w4, out: to(y.ptr) });
      },
      'input gradient'() {
        tapsToPhases(k, sizes, elementBytes, w.ptr, w4);
        k.conv2d({ ...sizes, x: y.ptr, w: w4, out: to(x.ptr) });
      },
      'weight gradient'() {
        k.conv2dWeightGradient({ ...sizes, x: y.ptr, dy: x.ptr, out: to(w4) });
        phasesToTaps(k, sizes, elementBytes, w4, w.ptr);
      },
    };
    return {
      name: `upsample conv ${direction}`,
      shape: `${shape[0]}x${side}x${side} ${inChannels}->${outChannels}`,
      flop: 2 * places * 9 * inChannels * outChannels,
      bytes: 4 * (n[0] + n[1] + n[2]),
      roof: memory.multiplyAddPeak(),
      run: run[direction],
      twin() {
        const u = new Float32Array(4 * n[0]);
        if (direction !== 'input gradient') upsampled(shape, x.twin, u);
        twins.conv2d(direction, plain, u, w.twin, y.twin);
        if (direction === 'input gradient') upsampled(shape, x.twin, u, true);
      },
    };
  };

export const upsampleCases = (setting: Setting): Make[] =>
  (['forward', 'input gradient', 'weight gradient'] as const).flatMap((direction) =>
    LAYERS.map((layer) => upsampleCase(direction, layer, setting)),
  );
