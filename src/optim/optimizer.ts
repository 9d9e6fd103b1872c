/** What all optimisers share: a flat block of parameters, a learning rate that may change, and a step. */
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';
import { Tensor } from '../tensor/tensor.ts';
import { ParameterBlock, type ParameterRun } from './parameters.ts';

/** Throws ValueError unless lo <= value (and value < hi). */
export function checkRange(optimizer: string, name: string, value: number, lo: number, hi = Infinity): void {
  if (!(value >= lo && value < hi)) {
    const range = hi === Infinity ? `>= ${lo} and finite` : `in [${lo}, ${hi})`;
    throw new ValueError(`${optimizer}: expected ${name} ${range}, got ${value}`);
  }
}

/** Throws ValueError unless all are tensors in an array, as `parameters()` of a module gives them. */
function checkParameters(optimizer: string, parameters: readonly Tensor[]): void {
  const wrong = Array.isArray(parameters) ? parameters.find((p) => !(p instanceof Tensor)) : parameters;
  if (wrong === undefined && Array.isArray(parameters)) return;
  throw new ValueError(
    `${optimizer}: expected an array of tensors such as model.parameters(), got ${describe(wrong)}`,
  );
}

export abstract class Optimizer {
  readonly block: ParameterBlock;
  /** Steps that each parameter has taken: one without a gradient is passed over, as in PyTorch. */
  protected readonly steps: number[];
  private rate: number;

  protected constructor(parameters: readonly Tensor[], lr: number) {
    checkParameters(new.target.name, parameters);
    this.rate = 0;
    this.lr = lr;
    this.block = new ParameterBlock(parameters);
    this.steps = parameters.map(() => 0);
  }

  /** The learning rate. */
  get lr(): number {
    return this.rate;
  }

  set lr(value: number) {
    checkRange(this.constructor.name, 'a learning rate', value, 0);
    this.rate = value;
  }

  /** Updates every parameter that has a gradient. */
  step(): void {
    for (const run of this.block.runs((i, j) => this.steps[i] === this.steps[j])) {
      for (const i of this.block.indices(run)) this.steps[i]++;
      this.update(run, this.steps[run.first]);
      for (const i of this.block.indices(run)) this.block.parameters[i].markWritten();
    }
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    this.block.zeroGrad();
  }

  /** Updates the elements of one run, which take their `t`-th step, t >= 1. */
  protected abstract update(run: ParameterRun, t: number): void;
}
