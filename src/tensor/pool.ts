/**
 * Poolings of pictures [batch, height, width, channels], nearest upsampling, and moves between space and channels. Left
 * out: ceil_mode, dilation and indices of max pooling, divisor_override, and other kinds of upsampling.
 */
import { apply } from '../autograd/tape.ts';
import * as ops from '../ops/index.ts';
import { withDefaults } from '../options.ts';
import { type Pair, pairOf } from './conv.ts';
import { requireTensor, type Tensor } from './tensor.ts';

/** Options of `maxPool2d`. */
export interface MaxPool2dOptions {
  /**
   * The distance in pixels between neighbouring windows. By default it is the kernel's size, so windows do not overlap.
   */
  readonly stride?: Pair;
  /** Rows and columns added on each side, at most half the kernel; 0 by default. They are never the maximum. */
  readonly padding?: Pair;
}

/** Options of `avgPool2d`. */
export interface AvgPool2dOptions {
  /**
   * The distance in pixels between neighbouring windows. By default it is the kernel's size, so windows do not overlap.
   */
  readonly stride?: Pair;
  /** Rows and columns of zeros on each side, at most half the kernel; 0 by default. */
  readonly padding?: Pair;
  /** Whether the zeros of the padding count in the mean; true by default. */
  readonly countIncludePad?: boolean;
}

/**
 * The maximum of each window of kernelSize pixels: PyTorch's max_pool2d, with the channels last. A NaN is the largest.
 * The gradient goes to the first pixel of the window, row by row, that equals the maximum. The result has ⌊(height +
 * 2·padding - kernel)/stride⌋ + 1 rows. The number of columns follows in the same way.
 *
 * @param x [batch, height, width, channels]
 * @throws ShapeError for a kernel larger than the padded map, or a map without pixels
 * @throws ValueError for a stride below 1, or a padding of more than half the kernel
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: MaxPool2dOptions = {}): Tensor {
  requireTensor('maxPool2d', x);
  const { stride, padding } = withDefaults('maxPool2d', options, { stride: kernelSize, padding: 0 });
  return apply(ops.maxPool2d, [x], {
    kernel: pairOf('maxPool2d: kernelSize', kernelSize),
    stride: pairOf('maxPool2d: stride', stride),
    padding: pairOf('maxPool2d: padding', padding),
  });
}

/**
 * The mean of each window of kernelSize pixels: PyTorch's avg_pool2d, with the channels last. Its shape is that of
 * `maxPool2d`.
 *
 * @param x [batch, height, width, channels]
 * @throws ShapeError for a kernel larger than the padded map, or a map without pixels
 * @throws ValueError for a stride below 1, or a padding of more than half the kernel
 */
export function avgPool2d(x: Tensor, kernelSize: Pair, options: AvgPool2dOptions = {}): Tensor {
  requireTensor('avgPool2d', x);
  const given = withDefaults('avgPool2d', options, { stride: kernelSize, padding: 0, countIncludePad: true });
  const kernel = pairOf('avgPool2d: kernelSize', kernelSize);
  return apply(ops.avgPool2d, [x], {
    kernel,
    stride: pairOf('avgPool2d: stride', given.stride),
    padding: pairOf('avgPool2d: padding', given.padding),
    divisor: given.countIncludePad ? kernel[0] * kernel[1] : 'inside',
  });
}

/** Options of `upsample`. */
export interface UpsampleOptions {
  /** How often each pixel is repeated along height and width: whole numbers. */
  readonly scaleFactor: Pair;
}

/**
 * Repeats each pixel scaleFactor times along height and width: PyTorch's nearest upsampling, with the channels last.
 *
 * @param x [batch, height, width, channels]
 * @throws ValueError for a factor that is not a whole number >= 1, ShapeError if x is not pictures
 * @example upsample(x, { scaleFactor: 2 }) // [64,14,14,32] to [64,28,28,32]
 */
export function upsample(x: Tensor, options: UpsampleOptions): Tensor {
  requireTensor('upsample', x);
  const { scaleFactor } = withDefaults('upsample', options, { scaleFactor: undefined });
  return apply(ops.upsample, [x], { scale: pairOf('upsample: scaleFactor', scaleFactor) });
}

/**
 * Moves channels to space, [batch, h, w, c·r²] to [batch, h·r, w·r, c]: y[b, h·r + ry, w·r + rx, c] = x[b, h, w, c·r² +
 * ry·r + rx]. This is PyTorch's order of channels (Shi et al. 2016).
 * @throws ShapeError for channels that r² does not divide, ValueError for a factor that is not a whole number >= 1
 */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  requireTensor('pixelShuffle', x);
  return apply(ops.pixelShuffle, [x], { factor: upscaleFactor });
}

/**
 * Moves space to channels, [batch, h·r, w·r, c] to [batch, h, w, c·r²]: the inverse of `pixelShuffle`.
 * @throws ShapeError for a map that r does not divide, ValueError for a factor that is not a whole number >= 1
 */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  requireTensor('pixelUnshuffle', x);
  return apply(ops.pixelUnshuffle, [x], { factor: downscaleFactor });
}
