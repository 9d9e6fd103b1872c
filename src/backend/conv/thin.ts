/**
 * 3x3 convolutions whose x or y has at most three channels, such as the first and the last of a network. They use the
 * kernels of assembly/conv/thin.ts in all directions. A matrix product would leave most of its register tile empty.
 */
import type { ActivationName } from '../formulas.ts';
import { type ConvSizes, convPlaces, type Ptr, type Target } from '../kernels.ts';
import { type Bounds, balanced, even, GEMM_GRAIN } from '../partition.ts';
import { type ConvMaps, isPlain3x3 } from './maps.ts';

/**
 * The largest number of channels of a thin map, the least and the largest of the other map, and the largest number of
 * pixels. Such maps fit scratch memory.
 */
const THIN = 3;
const OTHER = { least: 16, most: 1024 };
const PIXELS = 60_000;
/** Chunks begin at multiples of this number of channels: a cache line. */
const LINE = 16;

/** Whether a convolution and both of its gradients use the kernels for a thin x or y: assembly/conv/thin.ts. */
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

/** A convolution that reads or writes a thin map. The filters are [n,3,3,k], or [k,3,3,n] rotated by 180 degrees. */
export interface Thin extends ConvMaps {
  readonly turned: boolean;
  readonly w: Ptr;
  readonly bias: Ptr | null;
  readonly activation: ActivationName;
  readonly out: Target;
}

/** The number of products of a 3x3 convolution, in grains. */
const grains = (batch: number, places: number, channels: number) =>
  (9 * batch * places * channels) / GEMM_GRAIN;

/** Chunks of pictures. */
export function thinPictures({ batch, rows, columns, channels, outChannels }: Thin): Bounds[] {
  return even(batch, balanced(Math.min(batch, grains(batch, rows * columns, channels * outChannels))), 1);
}

/** Chunks of the channels of the map that is not thin, for the gradient to the weights. */
export function thinChannels({ batch, height, width, inChannels, outChannels }: ConvSizes): Bounds[] {
  const n = Math.max(inChannels, outChannels);
  return even(n, balanced(Math.min(grains(batch, height * width, inChannels * outChannels), n / LINE)), LINE);
}
