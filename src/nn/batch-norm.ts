/**
 * Batch normalisation of pictures [batch, height, width, channels] as a layer, with PyTorch's names, defaults and
 * semantics: Ioffe and Szegedy (2015).
 *
 *     y = (x - mean)/√(var + ε)·weight + bias   for each channel
 *
 * In training, mean and var are those of the batch, over all pictures and positions, with n in the denominator. The
 * layer also keeps running averages of the mean and of the unbiased variance (n - 1). In evaluation (`eval()`) mean and
 * var are these averages. The averages are buffers of the state: they are saved but not trained.
 *
 * In training the layer runs as the group normalisation of one picture of batch·height rows, with a group for each
 * channel. That is one pass forward and one backward, with the same formulas, order of summation and accuracy.
 */
import { noGrad, scope } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { describe, withDefaults } from '../options.ts';
import { requireTensor, type Tensor } from '../tensor/tensor.ts';
import { checkWhole } from './check.ts';
import { groupNorm } from './functional.ts';
import { filledParameter } from './init.ts';
import { Layer } from './module.ts';
import type { NormOptions } from './norm.ts';

/** Options of `BatchNorm2d`. */
export interface BatchNorm2dOptions extends NormOptions {
  /**
   * The weight of a new batch in the running averages, 0.1 by default. With null it is the plain average of all
   * batches.
   */
  readonly momentum?: number | null;
  /** Whether to keep running averages; true by default. Without them evaluation uses the batch as well. */
  readonly trackRunningStats?: boolean;
}

/** Batch normalisation of pictures [batch, height, width, channels], separately for each channel. */
export class BatchNorm2d extends Layer {
  /** The scale of each channel, [channels]. It is null if `affine` is false. */
  readonly weight: Tensor | null;
  /** The shift of each channel, [channels]. It is null if `affine` is false. */
  readonly bias: Tensor | null;
  /** The running average of the mean, [channels]. It is null without `trackRunningStats`. */
  readonly running_mean: Tensor | null;
  /** The running average of the unbiased variance, [channels]. It is null without `trackRunningStats`. */
  readonly running_var: Tensor | null;
  /** The number of batches in the averages, as a tensor of one number. */
  readonly num_batches_tracked: Tensor | null;
  readonly eps: number;
  readonly momentum: number | null;

  /**
   * @param numFeatures the number of channels
   * @param options `eps` is 1e-5 by default
   * @throws ValueError
   */
  constructor(
    readonly numFeatures: number,
    options: BatchNorm2dOptions = {},
  ) {
    super();
    const given = withDefaults('BatchNorm2d', options, {
      ...{ affine: true, eps: 1e-5, momentum: 0.1, trackRunningStats: true },
    });
    checkWhole('BatchNorm2d', 'channels', [numFeatures], 1);
    const { affine, eps, momentum, trackRunningStats: tracks } = given;
    if (!(eps >= 0)) throw new ValueError(`BatchNorm2d: expected eps >= 0, got ${describe(eps)}`);
    if (momentum !== null && !(momentum >= 0 && momentum <= 1)) {
      throw new ValueError(`BatchNorm2d: expected a momentum from 0 to 1, got ${describe(momentum)}`);
    }
    [this.eps, this.momentum] = [eps, momentum];
    this.weight = affine ? filledParameter([numFeatures], 1) : null;
    this.bias = affine ? filledParameter([numFeatures], 0) : null;
    const buffer = (shape: readonly number[], value: number) =>
      tracks ? filledParameter(shape, value).requireGrad(false) : null;
    this.running_mean = buffer([numFeatures], 0);
    this.running_var = buffer([numFeatures], 1);
    this.num_batches_tracked = buffer([], 0);
  }

  /**
   * @throws ShapeError unless x is [batch, height, width, channels]; in training it needs at least two values for each
   * channel
   */
  override forward(x: Tensor): Tensor {
    requireTensor('BatchNorm2d', x);
    if (x.rank !== 4 || x.shape[3] !== this.numFeatures) {
      throw new ShapeError(
        `BatchNorm2d: expected [batch,height,width,${this.numFeatures}], got shape [${x.shape}]`,
      );
    }
    if (!this.training && this.running_mean && this.running_var) {
      return this.evaluated(x, this.running_mean, this.running_var);
    }
    const { numFeatures: channels, weight, bias, eps } = this;
    const [batch, height, width] = x.shape;
    if (this.training && batch * height * width < 2) {
      throw new ShapeError(
        `BatchNorm2d: expected at least two values for each channel in training, got [${x.shape}]`,
      );
    }
    if (this.training) this.track(x);
    const rows = x.reshape(1, batch * height, width, channels);
    return groupNorm(rows, channels, { weight, bias, eps }).reshape(x.shape);
  }

  /** x·scale + shift, where scale and shift combine weight and bias with the running averages. */
  private evaluated(x: Tensor, mean: Tensor, variance: Tensor): Tensor {
    const deviation = variance.add(this.eps).sqrt();
    const scale = this.weight ? this.weight.div(deviation) : deviation.pow(-1);
    const shift = mean.mul(scale).neg();
    return x.mul(scale).add(this.bias ? shift.add(this.bias) : shift);
  }

  /** Moves the running averages towards the batch. */
  private track(x: Tensor): void {
    const { running_mean, running_var, num_batches_tracked: batches } = this;
    if (!running_mean || !running_var || !batches) return;
    scope(() =>
      noGrad(() => {
        batches.copyFrom(batches.add(1));
        const share = this.momentum ?? 1 / batches.item();
        const values = x.reshape(-1, this.numFeatures);
        const mean = values.mean(0);
        const deviation = values.sub(mean);
        const variance = deviation
          .mul(deviation)
          .sum(0)
          .mul(1 / (values.shape[0] - 1));
        running_mean.copyFrom(running_mean.mul(1 - share).add(mean.mul(share)));
        running_var.copyFrom(running_var.mul(1 - share).add(variance.mul(share)));
      }),
    );
  }
}
