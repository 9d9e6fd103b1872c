/**
 * Functions of tensors that layers use, with PyTorch's names. They have no parameters of their own. Losses are in
 * loss.ts.
 *
 *     layerNorm   (x - mean)/√(var + ε)·weight + bias over the last axes: Ba, Kiros and Hinton (2016)
 *     rmsNorm     x/√(mean(x²) + ε)·weight over the last axes: Zhang and Sennrich (2019)
 *     groupNorm   (x - mean)/√(var + ε)·weight + bias over groups of channels of a picture: Wu and He (2018)
 *     dropout     each element is 0 with probability p, and the others are multiplied by 1/(1 - p)
 */
import { apply } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import * as ops from '../ops/index.ts';
import { describe, oneOf, withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import { requireTensor, type Tensor } from '../tensor/tensor.ts';

/** The sizes of the normalised axes, which are the last ones. One number means only the last axis. */
export type NormalizedShape = number | readonly number[];

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** A factor for each element. It has the normalised shape. */
  readonly weight?: Tensor | null;
  /** A number that is added to the mean square; 1e-6 by default. */
  readonly eps?: number;
}

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** A factor for each element. It has the normalised shape. */
  readonly weight?: Tensor | null;
  /** A term that is added to each element. It has the normalised shape. */
  readonly bias?: Tensor | null;
  /** A number that is added to the variance; 1e-5 by default. */
  readonly eps?: number;
}

/** The size of the last axis. */
function lastOf(name: string, x: Tensor): number {
  requireTensor(name, x);
  if (x.rank === 0) throw new ShapeError(`${name}: expected [..., features], got a scalar`);
  return x.shape[x.rank - 1];
}

/** The normalised axes, counted from the last: [-2, -1]. Throws ShapeError unless x ends in that shape. */
function normalizedAxes(name: string, x: Tensor, shape: NormalizedShape, eps: number): number[] {
  if (!(eps >= 0)) throw new ValueError(`${name}: expected eps >= 0, got ${describe(eps)}`);
  const wanted = [shape].flat();
  const last = x.shape.slice(Math.max(0, x.rank - wanted.length));
  if (wanted.length === 0 || last.join() !== wanted.join()) {
    throw new ShapeError(`${name}: expected [..., ${wanted}], got shape [${x.shape}]`);
  }
  return wanted.map((_, i) => i - wanted.length);
}

/** Throws ShapeError unless a factor or a bias has the normalised shape. */
function checkAffine(name: string, what: string, x: Tensor | null, shape: NormalizedShape): void {
  if (x !== null) requireTensor(name, x);
  if (x && x.shape.join() !== [shape].flat().join()) {
    throw new ShapeError(`${name}: expected a ${what} [${shape}], got [${x.shape}]`);
  }
}

/**
 * x divided by the root mean square over its last axes.
 * @param shape the sizes of these axes; the last axis by default
 * @throws ShapeError unless x ends in that shape
 */
export function rmsNorm(
  x: Tensor,
  shape: NormalizedShape = lastOf('rmsNorm', x),
  options: RmsNormOptions = {},
): Tensor {
  requireTensor('rmsNorm', x);
  const { weight, eps } = withDefaults('rmsNorm', options, { weight: null, eps: 1e-6 });
  const axes = normalizedAxes('rmsNorm', x, shape, eps);
  checkAffine('rmsNorm', 'weight', weight, shape);
  const meanSquare = x.mul(x).mean(axes, { keepDims: true });
  const y = x.div(meanSquare.add(eps).sqrt());
  return weight ? y.mul(weight) : y;
}

/**
 * x minus its mean over its last axes, divided by its standard deviation there (with n in the denominator).
 * @param shape the sizes of these axes; the last axis by default
 * @throws ShapeError unless x ends in that shape
 */
export function layerNorm(
  x: Tensor,
  shape: NormalizedShape = lastOf('layerNorm', x),
  options: LayerNormOptions = {},
): Tensor {
  requireTensor('layerNorm', x);
  const { weight, bias, eps } = withDefaults('layerNorm', options, { weight: null, bias: null, eps: 1e-5 });
  const axes = normalizedAxes('layerNorm', x, shape, eps);
  checkAffine('layerNorm', 'weight', weight, shape);
  checkAffine('layerNorm', 'bias', bias, shape);
  const deviation = x.sub(x.mean(axes, { keepDims: true }));
  const variance = deviation.mul(deviation).mean(axes, { keepDims: true });
  const y = deviation.div(variance.add(eps).sqrt());
  const scaled = weight ? y.mul(weight) : y;
  return bias ? scaled.add(bias) : scaled;
}

/** Activations that may follow a normalisation in the same pass. */
export const NORM_ACTIVATIONS = ['none', 'silu'] as const;
/** The activation after a normalisation: `none` or `silu`. */
export type NormActivation = (typeof NORM_ACTIVATIONS)[number];

/** Options of `groupNorm`. */
export interface GroupNormOptions {
  /** A factor for each channel. */
  readonly weight?: Tensor | null;
  /** A term that is added to each channel. */
  readonly bias?: Tensor | null;
  /** A number that is added to the variance; 1e-5 by default. */
  readonly eps?: number;
  /** With `silu`, SiLU follows in the same pass; `none` by default. */
  readonly activation?: NormActivation;
}

/**
 * x[batch, ..., channels] minus the mean of each group, divided by its standard deviation (with n in the denominator).
 * A group is channels/groups neighbouring channels of one picture.
 * @throws ShapeError for channels that do not fit the groups, or parameters of another size
 */
export function groupNorm(x: Tensor, groups: number, options: GroupNormOptions = {}): Tensor {
  const { weight, bias, eps, activation } = withDefaults('groupNorm', options, {
    weight: null,
    bias: null,
    eps: 1e-5,
    activation: 'none',
  });
  checkGroups('groupNorm', groups);
  const silu = oneOf('activation', NORM_ACTIVATIONS, activation) === 'silu';
  const inputs = [x, ...(weight ? [weight] : []), ...(bias ? [bias] : [])];
  return apply(ops.groupNorm, inputs, { groups, eps, silu, weight: weight !== null, bias: bias !== null });
}

/** @throws ValueError unless it is a whole number >= 1 */
export function checkGroups(name: string, groups: number): void {
  if (!(Number.isInteger(groups) && groups >= 1)) {
    throw new ValueError(`${name}: expected a number of groups >= 1, got ${describe(groups)}`);
  }
}

/** Options of `dropout`. */
export interface DropoutOptions {
  /** Whether elements are dropped; true by default. */
  readonly training?: boolean;
  /** The generator that selects the elements. */
  readonly rng?: Rng;
}

/**
 * Each element of x becomes 0 with probability p. The others are multiplied by 1/(1 - p), so that the mean stays the
 * same: Srivastava et al. (2014).
 * @throws ValueError unless 0 <= p <= 1
 */
export function dropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  const { training, rng } = withDefaults('dropout', options, { training: true, rng: sharedRng() });
  requireTensor('dropout', x);
  checkProbability('dropout', p);
  if (!training || p === 0) return x;
  const kept = rng.uniform(x.shape).ge(p);
  return x.mul(p === 1 ? kept.mul(0) : kept.mul(1 / (1 - p)));
}

/** @throws ValueError unless 0 <= p <= 1 */
export function checkProbability(name: string, p: number): void {
  if (!(typeof p === 'number' && p >= 0 && p <= 1)) {
    throw new ValueError(`${name}: expected a probability from 0 to 1, got ${describe(p)}`);
  }
}
