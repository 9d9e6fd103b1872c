/** Normalisation as layers, with PyTorch's parameters. Initially the weight is 1 and the bias 0. */
import { ShapeError, ValueError } from '../errors.ts';
import { oneOf, withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  checkGroups,
  groupNorm,
  layerNorm,
  NORM_ACTIVATIONS,
  type NormActivation,
  type NormalizedShape,
  rmsNorm,
} from './functional.ts';
import { filledParameter } from './init.ts';
import { Layer } from './module.ts';

/** Options of all normalisations. */
export interface NormOptions {
  /** Whether there is a weight and, in LayerNorm, a bias; true by default. */
  readonly affine?: boolean;
  /** A number that is added to the variance or to the mean square. */
  readonly eps?: number;
}

/** Options of `LayerNorm`. */
export interface LayerNormLayerOptions extends NormOptions {
  /** Whether there is a bias in addition to the weight; true by default. */
  readonly bias?: boolean;
}

/** The shape as an array. @throws ValueError for sizes that are not whole numbers >= 1 */
function checkNormalized(name: string, shape: NormalizedShape): readonly number[] {
  const sizes = [shape].flat();
  if (sizes.length === 0 || !sizes.every((n) => Number.isInteger(n) && n >= 1)) {
    throw new ValueError(`${name}: expected sizes >= 1, got [${sizes}]`);
  }
  return sizes;
}

/** `layerNorm` over the last axes, with a weight and a bias for each element. */
export class LayerNorm extends Layer {
  /** The scale of each element, with the shape `shape`. It is null if `affine` is false. */
  readonly weight: Tensor | null;
  /** The shift of each element, with the shape `shape`. It is null without a bias. */
  readonly bias: Tensor | null;
  readonly eps: number;
  readonly shape: readonly number[];

  /**
   * @param shape the sizes of the last axes
   * @param options `eps` is 1e-5 by default
   * @throws ValueError
   */
  constructor(shape: NormalizedShape, options: LayerNormLayerOptions = {}) {
    super();
    const given = withDefaults('LayerNorm', options, { affine: true, bias: true, eps: 1e-5 });
    this.shape = checkNormalized('LayerNorm', shape);
    this.eps = given.eps;
    this.weight = given.affine ? filledParameter(this.shape, 1) : null;
    this.bias = given.affine && given.bias ? filledParameter(this.shape, 0) : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, eps } = this;
    return layerNorm(x, this.shape, { weight, bias, eps });
  }
}

/** `rmsNorm` over the last axes, with a weight for each element. */
export class RMSNorm extends Layer {
  /** The scale of each element, with the shape `shape`. It is null if `affine` is false. */
  readonly weight: Tensor | null;
  readonly eps: number;
  readonly shape: readonly number[];

  /**
   * @param shape the sizes of the last axes
   * @param options `eps` is 1e-6 by default
   * @throws ValueError
   */
  constructor(shape: NormalizedShape, options: NormOptions = {}) {
    super();
    const given = withDefaults('RMSNorm', options, { affine: true, eps: 1e-6 });
    this.shape = checkNormalized('RMSNorm', shape);
    this.eps = given.eps;
    this.weight = given.affine ? filledParameter(this.shape, 1) : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, eps } = this;
    return rmsNorm(x, this.shape, { weight, eps });
  }
}

/** Options of `GroupNorm`. */
export interface GroupNormLayerOptions extends NormOptions {
  /** With `silu`, SiLU follows in the same pass; `none` by default. */
  readonly activation?: NormActivation;
}

/** `groupNorm` of pictures [batch, ..., channels], with a weight and a bias for each channel. */
export class GroupNorm extends Layer {
  /** The scale of each channel, [channels]. It is null if `affine` is false. */
  readonly weight: Tensor | null;
  /** The shift of each channel, [channels]. It is null if `affine` is false. */
  readonly bias: Tensor | null;
  readonly eps: number;
  readonly activation: NormActivation;

  /**
   * @param groups a divisor of `channels`
   * @param options `eps` is 1e-5 by default
   * @throws ValueError
   */
  constructor(
    readonly groups: number,
    readonly channels: number,
    options: GroupNormLayerOptions = {},
  ) {
    super();
    const given = withDefaults('GroupNorm', options, { affine: true, eps: 1e-5, activation: 'none' });
    checkGroups('GroupNorm', groups);
    if (!(Number.isInteger(channels) && channels >= 1 && channels % groups === 0)) {
      throw new ValueError(`GroupNorm: expected channels in ${groups} equal groups, got ${channels}`);
    }
    this.eps = given.eps;
    this.activation = oneOf('activation', NORM_ACTIVATIONS, given.activation);
    this.weight = given.affine ? filledParameter([channels], 1) : null;
    this.bias = given.affine ? filledParameter([channels], 0) : null;
  }

  /** @throws ShapeError unless x is [batch, ..., channels] */
  override forward(x: Tensor): Tensor {
    const { groups, channels, weight, bias, eps, activation } = this;
    if (x.shape[x.rank - 1] !== channels) {
      throw new ShapeError(`GroupNorm: expected [batch, ..., ${channels}], got shape [${x.shape}]`);
    }
    return groupNorm(x, groups, { weight, bias, eps, activation });
  }
}
