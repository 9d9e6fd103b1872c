/**
 * Depthwise 3x3 convolutions with same padding, in the forward pass and both gradients. Each channel is a group. Such a
 * convolution does only 2.25 flop per byte, so the bandwidth of memory limits its speed. The rows are nevertheless
 * compared with the multiply-add peak. Twin: the loops.
 */
import type { ConvSizes } from '../src/backend/kernels.ts';
import type { Setting } from './setting.ts';
import type { Make } from './subject.ts';

/** The side of the map, and the number of channels. */
const LAYERS = [
  [28, 32],
  [14, 128],
] as const;
const DIRECTIONS = ['forward', 'input gradient', 'weight gradient'] as const;
type Direction = (typeof DIRECTIONS)[number];

/**
 * Computes y from x and w, dx from dy and w, or dw from x and dy. For a gradient, `y` holds dy, and the
 * result is written to `x` (dx) or `w` (dw).
 */
function loops(
  makes: Direction,
  { batch, height, width, inChannels: channels }: ConvSizes,
  x: Float32Array,
  w: Float32Array,
  y: Float32Array,
): void {
  const result = { forward: y, 'input gradient': x, 'weight gradient': w }[makes];
  const sums = new Float64Array(result.length);
  for (let b = 0, at = 0; b < batch; b++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++, at += channels) {
        for (let tap = 0; tap < 9; tap++) {
          const [row, column] = [i - 1 + Math.floor(tap / 3), j - 1 + (tap % 3)];
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const pixel = ((b * height + row) * width + column) * channels;
          for (let c = 0; c < channels; c++) {
            if (makes === 'forward') sums[at + c] += x[pixel + c] * w[9 * c + tap];
            else if (makes === 'input gradient') sums[pixel + c] += y[at + c] * w[9 * c + tap];
            else sums[9 * c + tap] += y[at + c] * x[pixel + c];
          }
        }
      }
    }
  }
  result.set(sums);
}

const depthwiseCase =
  (direction: Direction, [side, channels]: (typeof LAYERS)[number], { quick }: Setting): Make =>
  (memory) => {
    const { kernels: k } = memory.backend;
    const batch = quick ? 2 : 64;
    const s: ConvSizes = {
      ...{ batch, height: side, width: side, inChannels: channels, outChannels: channels },
      ...{ kernelHeight: 3, kernelWidth: 3, strideHeight: 1, strideWidth: 1, groups: channels },
      ...{ paddingHeight: 1, paddingWidth: 1, dilationHeight: 1, dilationWidth: 1 },
    };
    const n = batch * side * side * channels;
    const [x, w, y] = [n, 9 * channels, n].map((size) => memory.array(size, -0.3, 0.3));
    const to = (ptr: number) => ({ ptr, accumulate: false });
    const run: Record<Direction, () => void> = {
      forward: () => k.conv2d({ ...s, x: x.ptr, w: w.ptr, out: to(y.ptr) }),
      'input gradient': () => k.conv2dInputGradient({ ...s, dy: y.ptr, w: w.ptr, out: to(x.ptr) }),
      'weight gradient': () => k.conv2dWeightGradient({ ...s, x: x.ptr, dy: y.ptr, out: to(w.ptr) }),
    };
    return {
      name: `conv depthwise 3x3 ${direction}`,
      shape: `${batch}x${side}x${side} ${channels}`,
      flop: 18 * n,
      bytes: 8 * n,
      roof: memory.multiplyAddPeak(),
      run: run[direction],
      twin: () => loops(direction, s, x.twin, w.twin, y.twin),
    };
  };

export const depthwiseCases = (setting: Setting): Make[] =>
  DIRECTIONS.flatMap((direction) => LAYERS.map((layer) => depthwiseCase(direction, layer, setting)));
