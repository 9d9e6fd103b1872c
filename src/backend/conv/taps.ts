/**
 * Convolutions whose x or y has few channels, on the WebAssembly backend. The first and the last layer of a network are
 * such. In a direct product the register tile would be nearly empty. So the taps of the thin side (the side with few
 * channels) become a small matrix A. The rest is a plain product with the side that has many channels
 * (assembly/conv/taps.ts):
 *
 *     x thin:  y = A(x)·Wᵀ             dW = dyᵀ·A(x)   dx = the sums over taps of dy·W
 *     y thin:  y = the sums of x·Wᵀ    dW = A(dy)ᵀ·x   dx = A(dy)·W
 *
 * 3x3 convolutions with stride 1 and at most three channels have faster kernels of their own (thin.ts). The choice
 * depends only on the shape. Accuracy: that of the direct sum.
 */
import type { ActivationName } from '../formulas.ts';
import {
  type Conv2d,
  type Conv2dInputGradient,
  type Conv2dWeightGradient,
  type ConvSizes,
  convPlaces,
  type Ptr,
  stored,
  type Target,
  transposed,
} from '../kernels.ts';
import { type Bounds, EXPENSIVE_GRAIN, ranges } from '../partition.ts';
import type { ConvHost } from './host.ts';

/** The largest number of channels of a thin side. */
const FEW_CHANNELS = 7;
/** The largest ratio of the number of elements of A to that of the side with many channels. */
const MOST_TAPS = 2;

type Side = 'x' | 'y';

/** Which side of a convolution is thin. y can be the thin side only with stride 1. */
export function fewSide(s: ConvSizes): Side | null {
  const taps = tapsOf(s);
  if (taps === 1 || s.groups > 1) return null;
  const isThin = (thin: number, other: number) => thin <= FEW_CHANNELS && thin * taps <= MOST_TAPS * other;
  if (isThin(s.inChannels, s.outChannels)) return 'x';
  return s.strideHeight * s.strideWidth === 1 && isThin(s.outChannels, s.inChannels) ? 'y' : null;
}

/** The number of taps of the kernel. */
const tapsOf = (s: ConvSizes): number => s.kernelHeight * s.kernelWidth;

/**
 * For each tap, the pixels of a map [batch, height, width, channels] that the positions of a grid [batch, rows,
 * columns] read.
 */
export interface TapMap {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly tapsY: number;
  readonly tapsX: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly offsetY: number;
  readonly offsetX: number;
  readonly stepY: number;
  readonly stepX: number;
  /** In a row of the matrix, the distance in elements from one tap to the next, and from one channel to the next. */
  readonly tapStep: number;
  readonly channelStep: number;
}

export interface GatherTaps extends TapMap {
  readonly x: Ptr;
  readonly out: Ptr;
}

export interface SumTaps extends TapMap {
  readonly x: Ptr;
  readonly bias?: Ptr | null | undefined;
  readonly activation?: ActivationName | undefined;
  readonly out: Target;
}

/** The positions of y, and the pixels that they read in a thin map of x's size. */
function placesOfY(s: ConvSizes, thin: Side): TapMap {
  const [rows, columns] = convPlaces(s);
  return {
    ...{ batch: s.batch, height: s.height, width: s.width, rows, columns },
    ...{ tapsY: s.kernelHeight, tapsX: s.kernelWidth, strideY: s.strideHeight, strideX: s.strideWidth },
    ...{
      offsetY: -s.paddingHeight,
      offsetX: -s.paddingWidth,
      stepY: s.dilationHeight,
      stepX: s.dilationWidth,
    },
    ...layout(s, thin),
  };
}

/** The positions of x, and the pixels that they read in a thin map of y's size, for stride 1. */
function placesOfX(s: ConvSizes, thin: Side): TapMap {
  const [height, width] = convPlaces(s);
  return {
    ...{ batch: s.batch, height, width, rows: s.height, columns: s.width },
    ...{ tapsY: s.kernelHeight, tapsX: s.kernelWidth, strideY: 1, strideX: 1 },
    ...{
      offsetY: s.paddingHeight,
      offsetX: s.paddingWidth,
      stepY: -s.dilationHeight,
      stepX: -s.dilationWidth,
    },
    ...layout(s, thin),
  };
}

/** A row of the matrix has the order of the weights w[out, taps, in]. So for a thin y its channels come first. */
const layout = (s: ConvSizes, thin: Side) =>
  thin === 'x'
    ? { channels: s.inChannels, tapStep: s.inChannels, channelStep: 1 }
    : { channels: s.outChannels, tapStep: 1, channelStep: tapsOf(s) };

/** The number of elements of A. */
const tapElements = (map: TapMap): number =>
  map.batch * map.rows * map.columns * map.tapsY * map.tapsX * map.channels;

/** Chunks of rows of the grid. */
export const tapLines = ({ batch, rows, columns, tapsY, tapsX, channels }: TapMap): Bounds[] =>
  ranges(batch * rows, columns * tapsY * tapsX * channels, EXPENSIVE_GRAIN);

const rowsOf = ({ batch, rows, columns }: TapMap) => batch * rows * columns;

export function tapsForward(on: ConvHost, record: Conv2d): void {
  const thin = fewSide(record) as Side;
  const { inChannels, outChannels, x, w, bias = null, activation = 'none', out } = record;
  const map = placesOfY(record, thin);
  if (thin === 'x') {
    on.withArray(tapElements(map), (taps) => {
      on.run('gatherTaps', { ...map, x, out: taps });
      const sizes = { m: rowsOf(map), n: outChannels, k: tapsOf(record) * inChannels };
      on.gemm({ ...sizes, a: stored(taps), b: transposed(w), bias, activation, out });
    });
  } else {
    const [m, n] = [record.batch * record.height * record.width, tapsOf(record) * outChannels];
    on.withArray(m * n, (z) => {
      on.gemm({ m, n, k: inChannels, a: stored(x), b: transposed(w), out: { ptr: z, accumulate: false } });
      on.run('sumTaps', { ...map, x: z, bias, activation, out });
    });
  }
}

export function tapsInputGradient(on: ConvHost, record: Conv2dInputGradient): void {
  const thin = fewSide(record) as Side;
  const { inChannels, outChannels, dy, w, bias = null, activation = 'none', out } = record;
  const map = placesOfX(record, thin);
  if (thin === 'y') {
    on.withArray(tapElements(map), (taps) => {
      on.run('gatherTaps', { ...map, x: dy, out: taps });
      const sizes = { m: rowsOf(map), n: inChannels, k: tapsOf(record) * outChannels };
      on.gemm({ ...sizes, a: stored(taps), b: stored(w), bias, activation, out });
    });
  } else {
    const [m, n] = [map.batch * map.height * map.width, tapsOf(record) * inChannels];
    on.withArray(m * n, (z) => {
      on.gemm({ m, n, k: outChannels, a: stored(dy), b: stored(w), out: { ptr: z, accumulate: false } });
      on.run('sumTaps', { ...map, x: z, bias, activation, out });
    });
  }
}

export function tapsWeightGradient(on: ConvHost, record: Conv2dWeightGradient): void {
  const thin = fewSide(record) as Side;
  const { inChannels, outChannels, x, dy, out } = record;
  const map = thin === 'x' ? placesOfY(record, thin) : placesOfX(record, thin);
  on.withArray(tapElements(map), (taps) => {
    on.run('gatherTaps', { ...map, x: thin === 'x' ? x : dy, out: taps });
    const [m, n] =
      thin === 'x' ? [outChannels, tapsOf(record) * inChannels] : [tapsOf(record) * outChannels, inChannels];
    const [a, b] = thin === 'x' ? [transposed(dy), stored(taps)] : [transposed(taps), stored(x)];
    on.gemm({ m, n, k: rowsOf(map), a, b, out });
  });
}
