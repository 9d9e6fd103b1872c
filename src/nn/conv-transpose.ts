/**
 * Transposed convolutions as a layer, with PyTorch's names and initial values: weight and bias are drawn from U(-b, b)
 * with b = 1/√(kh·kw·out/groups). The weight is stored [in, kh, kw, out/groups].
 */
import type { FusedActivation } from '../ops/epilogue.ts';
import { withDefaults } from '../options.ts';
import { sharedRng } from '../random/rng.ts';
import { convTranspose2d, type Pair } from '../tensor/conv.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { pairFrom } from './check.ts';
import { CONV_DEFAULTS, type Conv2dLayerOptions, Convolution } from './conv.ts';

/** Options of `ConvTranspose2d`. */
export interface ConvTranspose2dLayerOptions extends Conv2dLayerOptions {
  /** Rows that are added to the result at the bottom, and columns at the right; below the stride, and 0 by default. */
  readonly outputPadding?: Pair;
}

/** A transposed convolution, [batch,height,width,in] to [batch,h,w,out]: see `convTranspose2d`. */
export class ConvTranspose2d extends Convolution {
  readonly outputPadding: readonly [number, number];

  /**
   * @param kernelSize one number, or [height, width]
   * @throws ValueError for sizes that are not whole numbers >= 1, or channels that the groups do not divide
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    options: ConvTranspose2dLayerOptions = {},
  ) {
    const { outputPadding, ...given } = withDefaults('ConvTranspose2d', options, {
      ...CONV_DEFAULTS,
      ...{ outputPadding: 0, rng: sharedRng() },
    });
    const channels = { inChannels, outChannels, first: inChannels, last: outChannels };
    super('ConvTranspose2d', channels, kernelSize, given);
    this.outputPadding = pairFrom('ConvTranspose2d', 'outputPadding', outputPadding, 0);
  }

  /**
   * x [batch, height, width, in] to [batch, h, w, out]: see `convTranspose2d`.
   * @param activation follows in the same op
   * @throws ShapeError for an x of another shape
   */
  override forward(x: Tensor, activation: FusedActivation = 'none'): Tensor {
    const { weight, bias, stride, padding, outputPadding, dilation, groups } = this;
    return convTranspose2d(x, weight, bias, {
      ...{ stride, padding, outputPadding, dilation, groups, activation },
    });
  }
}
