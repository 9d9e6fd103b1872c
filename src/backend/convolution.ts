/**
 * Convolutions as the WebAssembly backend sees them: the map that is read and the map that is written, and which of them
 * have a thin map. All of it follows from the shape alone.
 */

import type { ActivationName } from './formulas.ts';
import { type ConvSizes, convPlaces, type Ptr, type Target } from './kernels.ts';
import { type Bounds, balanced, even, GEMM_GRAIN } from './partition.ts';

/** Pictures [batch,height,width,channels], results [batch,rows,columns,outChannels]; place (0, 0) reads x at (top, left). */
export interface ConvMaps {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly outChannels: number;
  readonly top: number;
  readonly left: number;
  readonly x: Ptr;
}

/** The maps of the forward pass. */
export function forwardMaps(s: ConvSizes, x: Ptr): ConvMaps {
  const [rows, columns] = convPlaces(s);
  const { batch, height, width, inChannels: channels, outChannels } = s;
  const origin = { top: -s.paddingHeight, left: -s.paddingWidth };
  return { batch, height, width, channels, rows, columns, outChannels, ...origin, x };
}

/** The maps of the gradient to the input of a 3x3 convolution with stride 1, which reads dy with turned filters. */
export function inputMaps(s: ConvSizes, dy: Ptr): ConvMaps {
  const [height, width] = convPlaces(s);
  const { batch, height: rows, width: columns, inChannels: outChannels, outChannels: channels } = s;
  const origin = { top: s.paddingHeight - 2, left: s.paddingWidth - 2 };
  return { batch, height, width, channels, rows, columns, outChannels, ...origin, x: dy };
}

/** Whether filters are 3x3 with stride 1, dilation 1 and one group. */
export const isPlain3x3 = (s: ConvSizes): boolean =>
  s.kernelHeight === 3 &&
  s.kernelWidth === 3 &&
  s.strideHeight * s.strideWidth * s.dilationHeight * s.dilationWidth * s.groups === 1;

/** The most channels of a thin map, the fewest and most of the other one, and the most pixels: they fit scratch memory. */
const THIN = 3;
const OTHER = { least: 16, most: 1024 };
const PIXELS = 60_000;
/** Channels that begin a chunk: a line of the cache. */
const LINE = 16;

/** Whether a convolution and both of its gradients run by the kernels for a thin x or y: assembly/conv/thin.ts. */
export function isThin3x3(s: ConvSizes): boolean {
  const [few, many] = [Math.min(s.inChannels, s.outChannels), Math.max(s.inChannels, s.outChannels)];
  const [h, w] = convPlaces(s);
  return (
    isPlain3x3(s) &&
    few <= THIN &&
    many % 4 === 0 &&
    many >= OTHER.least &&
    many <= OTHER.most &&
    (Math.max(h, s.height) + 2) * (Math.max(w, s.width) + 2) <= PIXELS
  );
}

/** A convolution that reads or writes a thin map, with filters [n,3,3,k], or [k,3,3,n] that are turned by half a turn. */
export interface Thin extends ConvMaps {
  readonly turned: boolean;
  readonly w: Ptr;
  readonly bias: Ptr | null;
  readonly activation: ActivationName;
  readonly out: Target;
}

/** Products of a 3x3 convolution, in grains. */
const grains = (batch: number, places: number, channels: number) =>
  (9 * batch * places * channels) / GEMM_GRAIN;

/** Ranges of pictures. */
export function thinPictures({ batch, rows, columns, channels, outChannels }: Thin): Bounds[] {
  return even(batch, balanced(Math.min(batch, grains(batch, rows * columns, channels * outChannels))), 1);
}

/** Ranges of the channels of the map that is not thin, for the gradient to the weights. */
export function thinChannels({ batch, height, width, inChannels, outChannels }: ConvSizes): Bounds[] {
  const n = Math.max(inChannels, outChannels);
  return even(n, balanced(Math.min(grains(batch, height * width, inChannels * outChannels), n / LINE)), LINE);
}
