/**
 * Depthwise convolutions on the WebAssembly backend: as many groups as channels on both sides. As products they would
 * have one column; assembly/conv/depthwise.ts has channels as lanes. Weights w[channels,kh,kw,1] are turned to
 * [kh,kw,channels] before, and their gradient is turned back.
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

/** Whether a convolution and its gradients run here: a choice of the shape alone. */
export const isDepthwise = ({ groups, inChannels, outChannels }: ConvSizes): boolean =>
  groups > 1 && groups === inChannels && groups === outChannels;

/** y from x, or dx from dy as `x`; w is [kh,kw,channels]. */
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

/** Rows of y. */
export function placeRanges(s: Depthwise): Bounds[] {
  const [h, w] = convPlaces(s);
  return ranges(s.batch * h, w * s.inChannels * tapsOf(s), GRAIN);
}

/** Rows of dx. */
export const mapRanges = (s: Depthwise): Bounds[] =>
  ranges(s.batch * s.height, s.width * s.inChannels * tapsOf(s), GRAIN);

/** Channels of a strip (assembly/norm/strip.ts). */
const STRIP = 16;

/** Strips of channels, never of the places that are summed. */
export function stripRanges(s: DepthwiseWeightGradient): Bounds[] {
  const [h, w] = convPlaces(s);
  return ranges(Math.ceil(s.inChannels / STRIP), STRIP * s.batch * h * w * tapsOf(s), GRAIN);
}

/** [channels, taps] and [taps, channels], as views of one shape. */
const byChannel = (ptr: Ptr, taps: number) => ({ ptr, row: 1, col: taps });
const byTap = (ptr: Ptr, channels: number) => ({ ptr, row: channels, col: 1 });

/** Bytes of the taps of a place, and of the sums of a strip. */
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
