/**
 * A dense layer, y[m,out] = x[m,in]·Wᵀ + b, with W [out,in] and b [out] named and initialised as in PyTorch.
 */
import { ValueError } from '../errors.ts';
import type { FusedActivation } from '../ops/epilogue.ts';
import { withDefaults } from '../options.ts';
import { type Rng, sharedRng } from '../random/rng.ts';
import { linear } from '../tensor/functions.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { uniformParameter } from './init.ts';
import { Layer } from './module.ts';

/** Options of `Linear`. */
export interface LinearOptions {
  /** Whether there is a bias; true by default. */
  readonly bias?: boolean;
  /** The generator for the initial values. */
  readonly rng?: Rng;
}

/** A dense layer, y = x·Wᵀ + b. The initial values are uniform in ±1/√inFeatures, as in PyTorch. */
export class Linear extends Layer {
  /** W, [outFeatures, inFeatures]. */
  readonly weight: Tensor;
  /** b, [outFeatures]. It is null without a bias. */
  readonly bias: Tensor | null;

  /** @throws ValueError for sizes that are not whole numbers >= 1 */
  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    const { bias, rng } = withDefaults('Linear', options, { bias: true, rng: sharedRng() });
    for (const n of [inFeatures, outFeatures]) {
      if (!Number.isInteger(n) || n < 1)
        throw new ValueError(`Linear: expected sizes >= 1, got ${inFeatures} and ${outFeatures}`);
    }
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = uniformParameter([outFeatures, inFeatures], bound, rng);
    this.bias = bias ? uniformParameter([outFeatures], bound, rng) : null;
  }

  /**
   * x [..., inFeatures] to [..., outFeatures].
   * @param activation follows in the same op
   * @throws ShapeError for an x of another last dimension
   */
  override forward(x: Tensor, activation: FusedActivation = 'none'): Tensor {
    return linear(x, this.weight, this.bias, activation);
  }
}
