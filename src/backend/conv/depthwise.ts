/**
 * Depthwise convolutions on the WebAssembly backend: as many groups as channels on both sides. As matrix products they
 * would have one column. So the kernel in assembly/conv/depthwise.ts uses a SIMD lane for each channel. The weights
 * w[channels,kh,kw,1] are transposed to [kh,kw,channels] before, and their gradient is transposed back.
 */
import type { ActivationName } from '../formulas.ts';
import {
  type Conv2d,
  type Conv2dInputGradient,
  type Conv2dWeightGradient,
  type ConvSizes,
  convPlaces,
  type Ptr,
  type Target,
} from '../kernels.ts';
import { type Bounds, GRAIN, ranges } from '../partition.ts';
import type { ConvHost } from './host.ts';

/** Whether a convolution and its gradients use these kernels. It depends only on the shape. */
export const isDepthwise = ({ groups, inChannels, outChannels }: ConvSizes): boolean =>
  groups > 1 && groups === inChannels && groups === outChannels;

/** y from x, or dx from dy in the field `x`. w is [kh,kw,channels]. */
export interface Depthwise extends ConvSizes {
  readonly x: Ptr;
  readonly w: Ptr;
  readonly bias: Ptr | null;
  readonly activation: ActivationName;
  readonly out: Target;
}

/** out[kh,kw,channels] = dw */
export interface DepthwiseWeightGradient extends ConvSizes {
  readonly x: Ptr;
  readonly dy: Ptr;
  readonly out: Ptr;
}

const tapsOf = (s: ConvSizes) => s.kernelHeight * s.kernelWidth;

/** Chunks of rows of y. */
export function placeRanges(s: Depthwise): Bounds[] {
  const [h, w] = convPlaces(s);
  return ranges(s.batch * h, w * s.inChannels * tapsOf(s), GRAIN);
}

/** Chunks of rows of dx. */
export const mapRanges = (s: Depthwise): Bounds[] =>
  ranges(s.batch * s.height, s.width * s.inChannels * tapsOf(s), GRAIN);

/** The number of channels in a strip (assembly/norm/strip.ts). */
const STRIP = 16;

/** Chunks of strips of channels. The positions, which are summed, are never divided. */
export function stripRanges(s: DepthwiseWeightGradient): Bounds[] {
  const [h, w] = convPlaces(s);
  return ranges(Math.ceil(s.inChannels / STRIP), STRIP * s.batch * h * w * tapsOf(s), GRAIN);
}

/** [channels, taps] and [taps, channels], as views of one shape. */
const byChannel = (ptr: Ptr, taps: number) => ({ ptr, row: 1, col: taps });
const byTap = (ptr: Ptr, channels: number) => ({ ptr, row: channels, col: 1 });

/** Bytes for the taps of a position, and for the sums of a strip. */
const TAP_BYTES = 8;
const SUM_BYTES = 8 * STRIP;

/** y from x, or dx from dy. */
export function depthwiseMap(on: ConvHost, record: Conv2d | Conv2dInputGradient): void {
  const { inChannels: channels, w, bias = null, activation = 'none' } = record;
  const taps = tapsOf(record);
  on.withArray(taps * channels, (weights) => {
    on.copy({
      ...{ rows: taps, cols: channels, alpha: 1, accumulate: false },
      x: byChannel(w, taps),
      y: byTap(weights, channels),
    });
    const common = { ...record, w: weights, bias, activation };
    if ('dy' in record) on.run('depthwiseInputGradient', { ...common, x: record.dy }, TAP_BYTES * taps);
    else on.run('depthwise', { ...common, x: record.x }, TAP_BYTES * taps);
  });
}

export function depthwiseWeights(on: ConvHost, record: Conv2dWeightGradient): void {
  const { inChannels: channels, out } = record;
  const taps = tapsOf(record);
  on.withArray(taps * channels, (sums) => {
    on.run('depthwiseWeightGradient', { ...record, out: sums }, SUM_BYTES * taps);
    on.copy({
      ...{ rows: taps, cols: channels, alpha: 1, accumulate: out.accumulate },
      x: byTap(sums, channels),
      y: byChannel(out.ptr, taps),
    });
  });
}
