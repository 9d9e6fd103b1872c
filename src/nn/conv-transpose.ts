/**
 * Transposed convolutions as a layer, by PyTorch's names and with PyTorch's initial values: weight and bias from U(-b, b)
 * with b = 1/√(kh·kw·out/groups). A weight is stored [in, kh, kw, out/groups].
 */
import { ValueError } from '../errors.ts';
import type { FusedActivation } from '../ops/fused-activation.ts';
import { withDefaults } from '../options.ts';
import { sharedRng } from '../random/rng.ts';
import { convTranspose2d, type Pair, pairOf } from '../tensor/conv.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkWhole } from './check.ts';
import type { Conv2dLayerOptions } from './conv.ts';
import { uniformParameter } from './init.ts';
import { Layer } from './module.ts';

/** Options of `ConvTranspose2d`. */
export interface ConvTranspose2dLayerOptions extends Conv2dLayerOptions {
  /** Rows and columns that are added to the result at the bottom and to the right, below the stride; 0 by default. */
  readonly outputPadding?: Pair;
}

/** A transposed convolution, [batch,height,width,in] to [batch,h,w,out]: see `convTranspose2d`. */
export class ConvTranspose2d extends Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly outputPadding: readonly [number, number];
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
    options: ConvTranspose2dLayerOptions = {},
  ) {
    super();
    const given = withDefaults('ConvTranspose2d', options, {
      ...{ stride: 1, padding: 0, outputPadding: 0, dilation: 1, groups: 1, bias: true },
      rng: sharedRng(),
    });
    const two = (name: string, pair: Pair, least: number) => {
      const numbers = pairOf(`ConvTranspose2d: ${name}`, pair);
      checkWhole('ConvTranspose2d', name, numbers, least);
      return numbers;
    };
    checkWhole('ConvTranspose2d', 'channels', [inChannels, outChannels], 1);
    const kernel = two('kernelSize', kernelSize, 1);
    this.stride = two('stride', given.stride, 1);
    this.padding = two('padding', given.padding, 0);
    this.outputPadding = two('outputPadding', given.outputPadding, 0);
    this.dilation = two('dilation', given.dilation, 1);
    this.groups = given.groups;
    checkWhole('ConvTranspose2d', 'groups', [given.groups], 1);
    if (inChannels % given.groups > 0 || outChannels % given.groups > 0) {
      throw new ValueError(
        `ConvTranspose2d: expected channels that ${given.groups} groups divide, got ${inChannels} and ${outChannels}`,
      );
    }
    const each = outChannels / given.groups;
    const bound = 1 / Math.sqrt(kernel[0] * kernel[1] * each);
    this.weight = uniformParameter([inChannels, ...kernel, each], bound, given.rng);
    this.bias = given.bias ? uniformParameter([outChannels], bound, given.rng) : null;
  }

  override forward(x: Tensor, activation: FusedActivation = 'none'): Tensor {
    const { weight, bias, stride, padding, outputPadding, dilation, groups } = this;
    return convTranspose2d(x, weight, bias, {
      ...{ stride, padding, outputPadding, dilation, groups, activation },
    });
  }
}
