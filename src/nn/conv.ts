/**
 * Convolutions as layers, with PyTorch's names and initial values: weight and bias are drawn from U(-b, b) with b =
 * 1/√(kh·kw·in/groups). This is Kaiming-uniform with a = √5. Pictures are [batch, height, width, channels], and the
 * weight is stored [out, kh, kw, in/groups].
 */
import { ValueError } from '../errors.ts';
import type { FusedActivation } from '../ops/epilogue.ts';
import { withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import { conv2d, type Pair } from '../tensor/conv.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkWhole, pairFrom } from './check.ts';
import { uniformParameter } from './init.ts';
import { Layer } from './module.ts';

/** Options of `Conv2d`. */
export interface Conv2dLayerOptions {
  /** The distance in pixels between neighbouring positions of the kernel; 1 by default. */
  readonly stride?: Pair;
  /** Rows and columns of zeros on each side; 0 by default. */
  readonly padding?: Pair;
  /** The distance in pixels between neighbouring taps of the kernel; 1 by default. */
  readonly dilation?: Pair;
  /** The number of groups of channels; 1 by default. An output channel reads only the inputs of its own group. */
  readonly groups?: number;
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean;
  /** The generator for the initial values. */
  readonly rng?: Rng;
}

/** The defaults of the options, except the generator. */
export const CONV_DEFAULTS = { stride: 1, padding: 0, dilation: 1, groups: 1, bias: true } as const;

/** The channels of a layer, and the weight's axes before and after its kernel. */
interface Channels {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly first: number;
  readonly last: number;
}

/**
 * The common part of convolutions and transposed convolutions. They differ in the order of the weight's axes and in the
 * op.
 */
export abstract class Convolution extends Layer {
  /** [out, kh, kw, in/groups]; transposed, [in, kh, kw, out/groups]. */
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;

  /** @param given the options with their defaults @throws ValueError */
  constructor(
    layer: string,
    { inChannels, outChannels, first, last }: Channels,
    kernelSize: Pair,
    { stride, padding, dilation, groups, bias, rng }: Required<Conv2dLayerOptions>,
  ) {
    super();
    checkWhole(layer, 'channels', [inChannels, outChannels], 1);
    const kernel = pairFrom(layer, 'kernelSize', kernelSize, 1);
    this.stride = pairFrom(layer, 'stride', stride, 1);
    this.padding = pairFrom(layer, 'padding', padding, 0);
    this.dilation = pairFrom(layer, 'dilation', dilation, 1);
    checkWhole(layer, 'groups', [groups], 1);
    if (inChannels % groups > 0 || outChannels % groups > 0) {
      throw new ValueError(
        `${layer}: expected channels that ${groups} groups divide, got ${inChannels} and ${outChannels}`,
      );
    }
    [this.groups, this.inChannels, this.outChannels] = [groups, inChannels, outChannels];
    const each = last / groups;
    const bound = 1 / Math.sqrt(kernel[0] * kernel[1] * each);
    this.weight = uniformParameter([first, ...kernel, each], bound, rng);
    this.bias = bias ? uniformParameter([outChannels], bound, rng) : null;
  }
}

/** A convolution, [batch,height,width,in] to [batch,h,w,out]: see `conv2d`. */
export class Conv2d extends Convolution {
  /**
   * @param kernelSize one number, or [height, width]
   * @throws ValueError for sizes that are not whole numbers >= 1, or channels that the groups do not divide
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: Conv2dLayerOptions = {}) {
    const given = withDefaults('Conv2d', options, { ...CONV_DEFAULTS, rng: sharedRng() });
    super('Conv2d', { inChannels, outChannels, first: outChannels, last: inChannels }, kernelSize, given);
  }

  /**
   * x [batch, height, width, in] to [batch, h, w, out]: see `conv2d`.
   * @param activation follows in the same op
   * @throws ShapeError for an x of another shape
   */
  override forward(x: Tensor, activation: FusedActivation = 'none'): Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this;
    return conv2d(x, weight, bias, { stride, padding, dilation, groups, activation });
  }
}
