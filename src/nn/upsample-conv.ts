/** Nearest upsampling by 2 and a 3x3 convolution as one layer. A U-Net uses it to go to a larger map. */
import type { FusedActivation } from '../ops/epilogue.ts';
import { withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import { upsampleConv2d } from '../tensor/conv.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Conv2d } from './conv.ts';
import { Layer } from './module.ts';

/** Options of `UpsampleConv2d`. */
export interface UpsampleConv2dLayerOptions {
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean;
  /** The generator for the initial values. */
  readonly rng?: Rng;
}

/**
 * `Upsample({ scaleFactor: 2 })` and `Conv2d(in, out, 3, { padding: 1 })` in one, [batch,h,w,in] to [batch,2h,2w,out]: see
 * `upsampleConv2d`. Weight, bias and initial values are those of the Conv2d.
 */
export class UpsampleConv2d extends Layer {
  /** [outChannels, 3, 3, inChannels]. */
  readonly weight: Tensor;
  /** [outChannels]. It is null without a bias. */
  readonly bias: Tensor | null;

  /** @throws ValueError for channels that are not whole numbers >= 1 */
  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    options: UpsampleConv2dLayerOptions = {},
  ) {
    super();
    const { bias, rng } = withDefaults('UpsampleConv2d', options, { bias: true, rng: sharedRng() });
    const conv = new Conv2d(inChannels, outChannels, 3, { bias, rng });
    this.weight = conv.weight;
    this.bias = conv.bias;
  }

  /**
   * x [batch, h, w, in] to [batch, 2h, 2w, out].
   * @param activation follows in the same op
   * @throws ShapeError for an x of another shape
   */
  override forward(x: Tensor, activation: FusedActivation = 'none'): Tensor {
    return upsampleConv2d(x, this.weight, this.bias, { activation });
  }
}
