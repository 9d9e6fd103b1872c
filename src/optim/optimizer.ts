/**
 * The base class of all optimisers. It has a flat block of parameters, a learning rate that may change, a step, and a
 * state that can be saved.
 */
import type { Variable } from '../autograd/variable.ts';
import { ValueError } from '../errors.ts';
import { describe } from '../options.ts';
import { Tensor } from '../tensor/tensor.ts';
import { ParameterBlock, type ParameterRun } from './parameters.ts';

/** What an optimiser stores for one parameter: the number of its `steps`, and tensors of its shape. */
export interface ParameterState {
  readonly steps: number;
}

/** Throws ValueError unless lo <= value (and value < hi). */
export function checkRange(optimizer: string, name: string, value: number, lo: number, hi = Infinity): void {
  if (!(typeof value === 'number' && value >= lo && value < hi)) {
    const range = hi === Infinity ? `>= ${lo} and finite` : `in [${lo}, ${hi})`;
    throw new ValueError(`${optimizer}: expected ${name} ${range}, got ${describe(value)}`);
  }
}

/** Throws ValueError unless `parameters` is an array of tensors, as a module's `parameters()` returns. */
export function checkParameters(what: string, parameters: readonly Tensor[]): void {
  const wrong = Array.isArray(parameters) ? parameters.find((p) => !(p instanceof Tensor)) : parameters;
  if (wrong === undefined && Array.isArray(parameters)) return;
  throw new ValueError(
    `${what}: expected an array of tensors such as model.parameters(), got ${describe(wrong)}`,
  );
}

type Tensors = Readonly<Record<string, Tensor>>;

/** Whether a state has exactly the tensors of these names and shapes. */
function sameTensors(own: Tensors, { steps: _, ...tensors }: ParameterState): boolean {
  const given = tensors as Tensors;
  return (
    Object.keys(given).length === Object.keys(own).length &&
    Object.entries(own).every(([name, { shape }]) => given[name]?.shape.join() === shape.join())
  );
}

/** The base class of the optimisers: it moves parameters along their gradients. S is the state of one parameter. */
export abstract class Optimizer<S extends ParameterState = ParameterState> {
  /** The parameters and their gradients, one after the other in memory. @internal */
  readonly block: ParameterBlock;
  /** A block for each tensor of the state, by its name. @internal */
  protected memory: Readonly<Record<string, Variable>> = {};
  /** The number of steps of each parameter. A parameter without a gradient is skipped, as in PyTorch. */
  protected readonly steps: number[];
  private rate: number;

  protected constructor(parameters: readonly Tensor[], lr: number) {
    checkParameters(new.target.name, parameters);
    this.rate = 0;
    this.lr = lr;
    this.block = new ParameterBlock(parameters);
    this.steps = parameters.map(() => 0);
  }

  /** The learning rate. @throws ValueError if it is set to a number that is not >= 0 and finite */
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

  /** The state of each parameter, in their order. Save this. Its tensors are the optimiser's own memory. */
  get state(): S[] {
    return this.steps.map((steps, i) => ({ ...this.tensorsOf(i), steps }) as unknown as S);
  }

  /**
   * Continues from a saved state. If anything does not fit, nothing is changed.
   * @throws ValueError for states of other parameters, or of an optimiser of another kind
   */
  loadState(states: readonly S[]): void {
    const { name } = this.constructor;
    const own = this.steps.map((_, i) => this.tensorsOf(i));
    if (states.length !== own.length || !states.every((state, i) => sameTensors(own[i], state))) {
      const expected = [...Object.keys(this.memory), 'steps'].join(', ');
      throw new ValueError(
        `${name}: expected the state (${expected}) of ${own.length} parameters of the same shapes, got another`,
      );
    }
    const wrong = states.find(({ steps }) => !Number.isSafeInteger(steps) || steps < 0);
    if (wrong) throw new ValueError(`${name}: expected whole numbers of steps >= 0, got ${wrong.steps}`);
    for (const [i, state] of states.entries()) {
      for (const [key, to] of Object.entries(own[i])) to.copyFrom((state as unknown as Tensors)[key]);
      this.steps[i] = state.steps;
    }
  }

  private tensorsOf(i: number): Tensors {
    const views = Object.entries(this.memory).map(([name, block]) => [name, this.block.viewOf(block, i)]);
    return Object.fromEntries(views);
  }

  /** Clears the gradients. */
  zeroGrad(): void {
    this.block.zeroGrad();
  }

  /** Updates the elements of one run. This is their step number `t`, counted from 1. @internal */
  protected abstract update(run: ParameterRun, t: number): void;
}
