/**
 * Losses as modules. `forward(prediction, target)` is the function of the same name in loss.ts, with the options of the
 * constructor. The constructor checks these options.
 */
import { withDefaults } from '../options.ts';
import { mse } from '../tensor/functions.ts';
import type { Indices } from '../tensor/indexing.ts';
import { type LossOptions, reductionOf } from '../tensor/reduction.ts';
import type { Tensor } from '../tensor/tensor.ts';
import {
  type BceWithLogitsOptions,
  bceOptions,
  bceWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  crossEntropyOptions,
  type HuberLossOptions,
  huberLoss,
  huberOptions,
  l1Loss,
  l1Options,
} from './loss.ts';
import { Module } from './module.ts';

/** A loss as a module: `forward(prediction, target)`. */
export abstract class Loss<T = Tensor> extends Module {
  /**
   * The loss of predictions. A scalar with a gradient, unless the `reduction` is 'none'.
   * @throws ShapeError for shapes that do not fit
   */
  abstract forward(prediction: Tensor, target: T): Tensor;
}

/** `mse` as a module. */
export class MSELoss extends Loss {
  readonly options: LossOptions;

  /** @throws ValueError for an unknown reduction */
  constructor(options: LossOptions = {}) {
    super();
    const { reduction } = withDefaults('MSELoss', options, { reduction: 'mean' });
    this.options = { reduction: reductionOf('MSELoss', reduction) };
  }

  override forward(prediction: Tensor, target: Tensor): Tensor {
    return mse(prediction, target, this.options);
  }
}

/** `crossEntropy` as a module. */
export class CrossEntropyLoss extends Loss<Indices | Tensor> {
  /** @throws ValueError for options out of range */
  constructor(readonly options: CrossEntropyOptions = {}) {
    super();
    crossEntropyOptions(options);
  }

  override forward(logits: Tensor, target: Indices | Tensor): Tensor {
    return crossEntropy(logits, target, this.options);
  }
}

/** `bceWithLogits` as a module. */
export class BCEWithLogitsLoss extends Loss {
  /** @throws ValueError for options out of range */
  constructor(readonly options: BceWithLogitsOptions = {}) {
    super();
    bceOptions(options);
  }

  override forward(logits: Tensor, targets: Tensor): Tensor {
    return bceWithLogits(logits, targets, this.options);
  }
}

/** `l1Loss` as a module. */
export class L1Loss extends Loss {
  /** @throws ValueError for an unknown reduction */
  constructor(readonly options: LossOptions = {}) {
    super();
    l1Options(options);
  }

  override forward(prediction: Tensor, target: Tensor): Tensor {
    return l1Loss(prediction, target, this.options);
  }
}

/** `huberLoss` as a module. */
export class HuberLoss extends Loss {
  /** @throws ValueError for options out of range */
  constructor(readonly options: HuberLossOptions = {}) {
    super();
    huberOptions(options);
  }

  override forward(prediction: Tensor, target: Tensor): Tensor {
    return huberLoss(prediction, target, this.options);
  }
}
