/** The map that a convolution reads and the map that it writes, in the form that the kernels take. */
import { type ConvSizes, convPlaces, type Ptr } from '../kernels.ts';

/**
 * Pictures [batch,height,width,channels], results [batch,rows,columns,outChannels]. Position (0, 0) reads x at (top,
 * left).
 */
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

/**
 * The maps of the gradient to the input, for a 3x3 convolution with stride 1. It is a convolution of dy with filters
 * rotated by 180 degrees.
 */
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
