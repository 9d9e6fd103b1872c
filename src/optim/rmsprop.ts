/**
 * RMSprop with PyTorch's defaults and order of operations. A step is one pass over the flat block.
 *
 * g += decay·p; v = α·v + (1-α)·g²; s = v. If centred: a = α·a + (1-α)·g and s = v - a². Then d = g / (√s + ε). With
 * momentum: b = μ·b + d and d = b. Last, p -= lr·d.
 *
 * s is a variance, so it is negative only by rounding. We then use 0, while PyTorch's step becomes NaN. Source:
 * Tieleman and Hinton (2012), lecture 6e; for the centred form Graves (2013), eqs. 38 to 42.
 */
import type { Variable } from '../autograd/variable.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRange, Optimizer, type ParameterState } from './optimizer.ts';
import { ParameterBlock, type ParameterRun } from './parameters.ts';

/** Options of `RMSprop`. */
export interface RMSpropOptions {
  /** Learning rate, 1e-2 by default. */
  readonly lr?: number;
  /** α, the weight of the old average in a step; 0.99 by default. */
  readonly alpha?: number;
  /** Added to the denominator, 1e-8 by default. */
  readonly eps?: number;
  /** Weight decay (L2), 0 by default. */
  readonly weightDecay?: number;
  /** Momentum, 0 by default. */
  readonly momentum?: number;
  /** Whether to divide by the standard deviation of the gradient instead of its root mean square; false by default. */
  readonly centered?: boolean;
}

/**
 * What RMSprop stores for one parameter, in tensors of its shape. `squareAverage` is the average of the squared gradients,
 * `gradientAverage` that of the gradients (if `centered`), and `momentumBuffer` exists with momentum.
 */
export interface RMSpropState extends ParameterState {
  readonly squareAverage: Tensor;
  readonly gradientAverage?: Tensor;
  readonly momentumBuffer?: Tensor;
}

/** RMSprop with PyTorch's defaults, plain or centred, with or without momentum. Source: Tieleman and Hinton (2012). */
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
