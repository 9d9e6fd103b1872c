/**
 * Convolutions as layers, by PyTorch's names and with PyTorch's initial values: weight and bias from U(-b, b) with
 * b = 1/√(kh·kw·in/groups), which is Kaiming-uniform with a = √5. Pictures are [batch, height, width, channels], and a
 * weight is stored [out, kh, kw, in/groups].
 */
import { ValueError } from '../errors.ts';
import type { FusedActivation } from '../ops/fused-activation.ts';
import { withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import { conv2d, type Pair, pairOf } from '../tensor/conv.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkWhole } from './check.ts';
import { uniformParameter } from './init.ts';
import { Layer } from './module.ts';

export interface Conv2dLayerOptions {
  /** Pixels from one place of the kernel to the next; 1 by default. */
  readonly stride?: Pair;
  /** Rows and columns of zeros on each side; 0 by default. */
  readonly padding?: Pair;
  /** Pixels from one tap of the kernel to the next; 1 by default. */
  readonly dilation?: Pair;
  /** Groups of channels that do not see each other; 1 by default. */
  readonly groups?: number;
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean;
  /** Where the initial values come from. */
  readonly rng?: Rng;
}

/** A convolution, [batch,height,width,in] to [batch,h,w,out]: see `conv2d`. */
export class Conv2d extends Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;

  /**
   * @param kernelSize one number, or [height, width]
   * @throws ValueError for sizes that are no whole numbers >= 1, or channels that the groups do not divide
   */
  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Pair,
    options: Conv2dLayerOptions = {},
  ) {
    super();
    const given = withDefaults('Conv2d', options, {
      ...{ stride: 1, padding: 0, dilation: 1, groups: 1, bias: true },
      rng: sharedRng(),
    });
    const kernel = pairOf('Conv2d: kernelSize', kernelSize);
    this.stride = pairOf('Conv2d: stride', given.stride);
    this.padding = pairOf('Conv2d: padding', given.padding);
    this.dilation = pairOf('Conv2d: dilation', given.dilation);
    this.groups = given.groups;
    checkWhole('Conv2d', 'channels', [inChannels, outChannels], 1);
    checkWhole('Conv2d', 'kernelSize', kernel, 1);
    checkWhole('Conv2d', 'stride', this.stride, 1);
    checkWhole('Conv2d', 'padding', this.padding, 0);
    checkWhole('Conv2d', 'dilation', this.dilation, 1);
    checkWhole('Conv2d', 'groups', [given.groups], 1);
    if (inChannels % given.groups > 0 || outChannels % given.groups > 0) {
      throw new ValueError(
        `Conv2d: expected channels that ${given.groups} groups divide, got ${inChannels} and ${outChannels}`,
      );
    }
    const each = inChannels / given.groups;
    const bound = 1 / Math.sqrt(kernel[0] * kernel[1] * each);
    this.weight = uniformParameter([outChannels, ...kernel, each], bound, given.rng);
    this.bias = given.bias ? uniformParameter([outChannels], bound, given.rng) : null;
  }

  override forward(x: Tensor, activation: FusedActivation = 'none'): Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this;
    return conv2d(x, weight, bias, { stride, padding, dilation, groups, activation });
  }
}
