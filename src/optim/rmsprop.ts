/**
 * RMSprop with PyTorch's defaults and order of operations, one pass over the flat block.
 *
 * g += decay·p; v = α·v + (1-α)·g²; s = v, or where centred: a = α·a + (1-α)·g and s = v - a²;
 * d = g / (√s + ε); with momentum: b = μ·b + d and d = b; p -= lr·d
 *
 * s is a variance and never negative but by rounding. It counts as 0 then, where PyTorch's step becomes NaN.
 * Source: Tieleman and Hinton (2012), lecture 6e; Graves (2013), eqs. 38 to 42, for the centred form.
 */
import type { Variable } from '../autograd/variable.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRange, Optimizer, type ParameterState } from './optimizer.ts';
import { ParameterBlock, type ParameterRun } from './parameters.ts';

export interface RMSpropOptions {
  /** Learning rate, 1e-2 by default. */
  readonly lr?: number;
  /** α, the share of an average that stays at a step; 0.99 by default. */
  readonly alpha?: number;
  /** Added to the denominator, 1e-8 by default. */
  readonly eps?: number;
  /** L2, 0 by default. */
  readonly weightDecay?: number;
  /** 0 by default. */
  readonly momentum?: number;
  /** Divides by the standard deviation of the gradient instead of its root mean square; false by default. */
  readonly centered?: boolean;
}

/** What RMSprop remembers of one parameter: averages of its shape, those that its options call for. */
export interface RMSpropState extends ParameterState {
  readonly squareAverage: Tensor;
  readonly gradientAverage?: Tensor;
  readonly momentumBuffer?: Tensor;
}

export class RMSprop extends Optimizer<RMSpropState> {
  private readonly options: Required<Omit<RMSpropOptions, 'lr'>>;

  /** @throws ValueError for options out of range */
  constructor(parameters: readonly Tensor[], options: RMSpropOptions = {}) {
    const filled = withDefaults('RMSprop', options, {
      lr: 1e-2,
      alpha: 0.99,
      eps: 1e-8,
      weightDecay: 0,
      momentum: 0,
      centered: false,
    });
    super(parameters, filled.lr);
    this.options = filled;
    const { alpha, eps, weightDecay, momentum, centered } = filled;
    checkRange('RMSprop', 'alpha', alpha, 0, 1);
    checkRange('RMSprop', 'eps', eps, 0);
    checkRange('RMSprop', 'a weight decay', weightDecay, 0);
    checkRange('RMSprop', 'a momentum', momentum, 0);
    this.memory = {
      squareAverage: this.block.zeros(),
      ...(centered ? { gradientAverage: this.block.zeros() } : {}),
      ...(momentum > 0 ? { momentumBuffer: this.block.zeros() } : {}),
    };
  }

  protected override update({ from, to }: ParameterRun): void {
    const { alpha, eps, weightDecay, momentum } = this.options;
    const { squareAverage, gradientAverage, momentumBuffer } = this.memory;
    const at = (block: Variable | undefined) => (block ? ParameterBlock.at(block, from) : null);
    this.block.kernels.rmsprop({
      n: to - from,
      p: this.block.valueAt(from),
      g: this.block.gradientAt(from),
      v: ParameterBlock.at(squareAverage, from),
      average: at(gradientAverage),
      buffer: at(momentumBuffer),
      lr: this.lr,
      alpha,
      eps,
      momentum,
      l2: weightDecay,
    });
  }
}
