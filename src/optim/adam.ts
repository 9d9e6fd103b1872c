/**
 * Adam and AdamW with PyTorch's defaults and order of operations. A step is one pass over the flat block.
 *
 * m = β1·m + (1-β1)·g; v = β2·v + (1-β2)·g²; p -= lr·(m/(1-β1ᵗ)) / (√(v/(1-β2ᵗ)) + ε)
 *
 * Adam adds weight decay to the gradient (L2). AdamW instead multiplies the parameter by 1 - lr·decay. Source: Kingma
 * and Ba (2015); Loshchilov and Hutter (2019).
 */
import type { Variable } from '../autograd/variable.ts';
import { ValueError } from '../errors.ts';
import { describe, withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRange, Optimizer, type ParameterState } from './optimizer.ts';
import { ParameterBlock, type ParameterRun } from './parameters.ts';

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions {
  /** Learning rate, 1e-3 by default. */
  readonly lr?: number;
  /** Decay of the two moments, 0.9 and 0.999 by default. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator, 1e-8 by default. */
  readonly eps?: number;
  /** Weight decay: 0 by default, and 0.01 in AdamW. */
  readonly weightDecay?: number;
}

const ADAM = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 } as const;

/** What Adam stores for one parameter: the moments `m` and `v`, which have its shape. */
export interface AdamState extends ParameterState {
  readonly m: Tensor;
  readonly v: Tensor;
}

/** Adam with PyTorch's defaults. Weight decay is added to the gradient (L2). Source: Kingma and Ba (2015). */
export class Adam extends Optimizer<AdamState> {
  /** The first and second moments, with the layout of the block. @internal */
  readonly moments: readonly [Variable, Variable];
  protected readonly betas: readonly [number, number];
  protected readonly eps: number;
  protected readonly weightDecay: number;

  /** @throws ValueError for options out of range */
  constructor(parameters: readonly Tensor[], options: AdamOptions = {}) {
    const name = new.target.name;
    const { lr, betas, eps, weightDecay } = withDefaults(name, options, ADAM);
    super(parameters, lr);
    this.betas = betas;
    this.eps = eps;
    this.weightDecay = weightDecay;
    if (!Array.isArray(betas) || betas.length !== 2) {
      throw new ValueError(`${name}: expected two betas, got ${describe(betas)}`);
    }
    for (const beta of this.betas) checkRange(name, 'betas', beta, 0, 1);
    checkRange(name, 'eps', this.eps, 0);
    checkRange(name, 'a weight decay', this.weightDecay, 0);
    this.moments = [this.block.zeros(), this.block.zeros()];
    this.memory = { m: this.moments[0], v: this.moments[1] };
  }

  protected override update({ from, to }: ParameterRun, t: number): void {
    const [beta1, beta2] = this.betas;
    const [m, v] = this.moments;
    const at = (moment: Variable) => ParameterBlock.at(moment, from);
    this.block.kernels.adam({
      n: to - from,
      p: this.block.valueAt(from),
      g: this.block.gradientAt(from),
      m: at(m),
      v: at(v),
      stepSize: this.lr / (1 - wholePower(beta1, t)),
      beta1,
      beta2,
      eps: this.eps,
      correction: Math.sqrt(1 - wholePower(beta2, t)),
      ...this.decay(),
    });
  }

  /** How weight decay changes the step. */
  protected decay(): { l2: number; shrink: number } {
    return { l2: this.weightDecay, shrink: 1 };
  }
}

/**
 * Adam with decoupled weight decay: a step first multiplies the parameter by 1 - lr·weightDecay. Source: Loshchilov and
 * Hutter (2019).
 */
export class AdamW extends Adam {
  /** @param options `weightDecay` is 0.01 by default @throws ValueError for options out of range */
  constructor(parameters: readonly Tensor[], options: AdamOptions = {}) {
    super(parameters, withDefaults(new.target.name, options, { ...ADAM, weightDecay: 0.01 }));
  }

  protected override decay(): { l2: number; shrink: number } {
    return { l2: 0, shrink: 1 - this.lr * this.weightDecay };
  }
}

/** x^n by squaring. `Math.pow` has different bits on different engines. */
function wholePower(x: number, n: number): number {
  let power = 1;
  for (let square = x; n > 0; n = Math.floor(n / 2), square *= square) if (n % 2 === 1) power *= square;
  return power;
}
