/** Convolutions of pictures [batch, height, width, channels]. */
import { apply } from '../autograd/tape.ts';
import { ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { describe, oneOf, withDefaults } from '../options.ts';
import type { Tensor } from './tensor.ts';

/** One number for both height and width, or one number for each. */
export type Pair = number | readonly [height: number, width: number];

/** Options of `conv2d`. */
export interface Conv2dOptions {
  /** The distance in pixels between neighbouring positions of the kernel; 1 by default. */
  readonly stride?: Pair;
  /** Rows and columns of zeros on each side; 0 by default. */
  readonly padding?: Pair;
  /** The distance in pixels between neighbouring taps of the kernel; 1 by default. */
  readonly dilation?: Pair;
  /**
   * The number of groups of channels; 1 by default. An output channel reads only the inputs of its own group. As many
   * groups as channels make a depthwise convolution.
   */
  readonly groups?: number;
  /** Applied to the result in the same pass; none by default. */
  readonly activation?: ops.FusedActivation;
}

/** Both numbers of a pair. @throws ValueError unless it is one number or two */
export function pairOf(what: string, pair: Pair): readonly [number, number] {
  if (typeof pair === 'number') return [pair, pair];
  if (Array.isArray(pair) && pair.length === 2 && pair.every((n) => typeof n === 'number')) return pair;
  throw new ValueError(`${what}: expected a number or [height, width], got ${describe(pair)}`);
}

/**
 * A convolution of pictures: y[b,i,j,o] = Σ x[b, i·stride - padding + ky·dilation, ..., c]·weight[o,ky,kx,c] + bias[o].
 * It is PyTorch's conv2d (a cross-correlation), with the channels last. The result has ⌊(height + 2·padding -
 * dilation·(kh - 1) - 1)/stride⌋ + 1 rows. The number of columns follows in the same way.
 *
 * Some convolutions use Winograd's algorithm: 3x3 with stride 1, dilation 1, one group, and numbers of channels >= 32
 * that are multiples of four. A NaN or an infinity then reaches results up to two pixels away, and up to four with fast
 * convolutions (`setConvolutions`).
 *
 * @param x [batch, height, width, in]
 * @param weight [out, kh, kw, in/groups]
 * @param bias [out], or null
 * @throws ShapeError for channels that do not fit, or a kernel larger than the padded map
 * @throws ValueError for a stride or a dilation below 1, a negative padding, or an unknown activation
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv2dOptions = {},
): Tensor {
  const { stride, padding, dilation, groups, activation } = withDefaults('conv2d', options, {
    ...{ stride: 1, padding: 0, dilation: 1, groups: 1, activation: 'none' },
  });
  return apply(ops.conv2d, bias ? [x, weight, bias] : [x, weight], {
    stride: pairOf('conv2d: stride', stride),
    padding: pairOf('conv2d: padding', padding),
    dilation: pairOf('conv2d: dilation', dilation),
    groups,
    activation: oneOf('conv2d: activation', ops.FUSED_ACTIVATIONS, activation),
  });
}

/** Options of `convTranspose2d`. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /**
   * Rows that are added to the result at the bottom, and columns at the right; 0 by default. It must be below the
   * stride. (PyTorch also allows a value below the dilation.)
   */
  readonly outputPadding?: Pair;
}

/**
 * A transposed convolution of pictures. It is the gradient of `conv2d` to its input, as a function of its own. It is
 * PyTorch's conv_transpose2d, with the channels last. The result has (height - 1)·stride - 2·padding + dilation·(kh -
 * 1) + outputPadding + 1 rows. The number of columns follows in the same way.
 *
 * @param x [batch, height, width, in]
 * @param weight [in, kh, kw, out/groups]; in files [in, out/groups, kh, kw], as in PyTorch
 * @param bias [out], or null
 * @throws ShapeError for channels that do not fit, or a result without pixels
 * @throws ValueError for a stride or a dilation below 1, a negative padding, or an outputPadding that is not below the
 * stride
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  const { stride, padding, dilation, outputPadding, groups, activation } = withDefaults(
    'convTranspose2d',
    options,
    { ...{ stride: 1, padding: 0, dilation: 1, outputPadding: 0, groups: 1 }, activation: 'none' },
  );
  return apply(ops.convTranspose2d, bias ? [x, weight, bias] : [x, weight], {
    stride: pairOf('convTranspose2d: stride', stride),
    padding: pairOf('convTranspose2d: padding', padding),
    dilation: pairOf('convTranspose2d: dilation', dilation),
    outputPadding: pairOf('convTranspose2d: outputPadding', outputPadding),
    groups,
    activation: oneOf('convTranspose2d: activation', ops.FUSED_ACTIVATIONS, activation),
  });
}

/** Options of `upsampleConv2d`. */
export interface UpsampleConv2dOptions {
  /** Applied to the result in the same pass; none by default. */
  readonly activation?: ops.FusedActivation;
}

/**
 * conv2d(upsample(x, { scaleFactor: 2 }), weight, bias, { padding: 1 }) for a 3x3 kernel. The result is equal apart
 * from rounding. It computes four 2x2 convolutions of x in place of one 3x3 convolution of a map four times as large.
 * That takes 2.25 times fewer products.
 *
 * @param x [batch, height, width, in]
 * @param weight [out, 3, 3, in]
 * @param bias [out], or null
 * @returns [batch, 2·height, 2·width, out]
 * @throws ShapeError for a kernel that is not 3x3, or channels that do not fit
 */
export function upsampleConv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: UpsampleConv2dOptions = {},
): Tensor {
  const { activation } = withDefaults('upsampleConv2d', options, { activation: 'none' });
  const fused = oneOf('upsampleConv2d: activation', ops.FUSED_ACTIVATIONS, activation);
  return apply(ops.upsampleConv2d, bias ? [x, weight, bias] : [x, weight], { activation: fused });
}
