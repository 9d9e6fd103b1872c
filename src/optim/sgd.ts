/**
 * Stochastic gradient descent with PyTorch's momentum, dampening, Nesterov's variant and L2 weight decay: g += decay·p;
 * b = first ? g : μ·b + (1-dampening)·g; p -= lr·(nesterov ? g + μ·b : b). At the first step of a parameter, `first` is
 * true.
 */
import type { Variable } from '../autograd/variable.ts';
import { ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRange, Optimizer, type ParameterState } from './optimizer.ts';
import { ParameterBlock, type ParameterRun } from './parameters.ts';

/** Options of `SGD`. */
export interface SgdOptions {
  /** Learning rate, 1e-3 by default. */
  readonly lr?: number;
  /** μ, the weight of the old step in the new one; 0 by default. */
  readonly momentum?: number;
  /** The share of the gradient that momentum leaves out; 0 by default. */
  readonly dampening?: number;
  /** Whether to look ahead by one step of momentum (Nesterov); false by default. */
  readonly nesterov?: boolean;
  /** Weight decay (L2), 0 by default. */
  readonly weightDecay?: number;
}

/** What SGD stores for one parameter. `momentumBuffer` exists only with momentum, and has the parameter's shape. */
export interface SgdState extends ParameterState {
  readonly momentumBuffer?: Tensor;
}

/** Stochastic gradient descent, with momentum, dampening and Nesterov's variant as in PyTorch. */
export class SGD extends Optimizer<SgdState> {
  private readonly options: Required<Omit<SgdOptions, 'lr'>>;
  private readonly buffer: Variable | null;

  /** @throws ValueError for options out of range, and for Nesterov without momentum or with dampening */
  constructor(parameters: readonly Tensor[], options: SgdOptions = {}) {
    const filled = withDefaults('SGD', options, {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      nesterov: false,
      weightDecay: 0,
    });
    super(parameters, filled.lr);
    this.options = filled;
    const { momentum, dampening, nesterov, weightDecay } = this.options;
    checkRange('SGD', 'a momentum', momentum, 0);
    checkRange('SGD', 'a dampening', dampening, 0);
    checkRange('SGD', 'a weight decay', weightDecay, 0);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ValueError('SGD: expected a momentum and no dampening with nesterov');
    }
    this.buffer = momentum > 0 ? this.block.zeros() : null;
    if (this.buffer) this.memory = { momentumBuffer: this.buffer };
  }

  protected override update({ from, to }: ParameterRun, t: number): void {
    const { momentum, dampening, nesterov, weightDecay } = this.options;
    const buffer = this.buffer && ParameterBlock.at(this.buffer, from);
    this.block.kernels.sgd({
      n: to - from,
      p: this.block.valueAt(from),
      g: this.block.gradientAt(from),
      buffer,
      lr: this.lr,
      momentum,
      dampening,
      nesterov,
      l2: weightDecay,
      first: t === 1,
    });
  }
}
