/**
 * An exponential moving average of a module's parameters. Diffusion models sample with the average, because it changes
 * less from step to step than the parameters.
 *
 *     average += (1 - d)·(parameter - average),   d = min(decay, (1 + t)/(10 + t)) at update t = 0, 1, ...
 *
 * The warm-up of d removes the initial values from the average. In this form, an average that equals its parameter
 * stays exactly equal. The form d·average + (1-d)·parameter has rounded weights, and in float32 it would drift by up to
 * 3e-8/(1-d). In either form float32 loses a relative difference below 6e-8/(1-d).
 *
 * The averages lie in one flat block with the layout of an optimiser's block. So an update is one pass over memory.
 * Source: Polyak and Juditsky (1992); the warm-up from TensorFlow's ExponentialMovingAverage.
 */
import type { Variable } from '../autograd/variable.ts';
import type { Ptr } from '../backend/kernels.ts';
import { LangevinError, ValueError } from '../errors.ts';
import { copyState, type Module, type StateDict } from '../nn/module.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRange } from './optimizer.ts';
import { ALIGNMENT } from './parameters.ts';

/** Options of `Ema`. */
export interface EmaOptions {
  /** The weight of the old average in an update, 0.999 by default. */
  readonly decay?: number;
  /** Whether the decay grows from 0.1 to that value; true by default. */
  readonly warmup?: boolean;
}

/** An exponential moving average of a module's parameters. `update()` follows each step of the optimiser. */
export class Ema {
  private readonly decay: number;
  private readonly warmup: boolean;
  private readonly parameters: readonly Tensor[];
  private readonly averages: StateDict = new Map();
  private readonly block: Variable;
  private readonly offsets: number[] = [];
  private count = 0;
  private swapped = false;

  /**
   * At the start the averages equal the parameters.
   * @throws ValueError for a decay outside [0, 1), or a module without parameters
   */
  constructor(module: Module, options: EmaOptions = {}) {
    const { decay, warmup } = withDefaults('Ema', options, { decay: 0.999, warmup: true });
    checkRange('Ema', 'a decay', decay, 0, 1);
    this.decay = decay;
    this.warmup = warmup;
    const named = module.namedParameters();
    if (named.length === 0) throw new ValueError('Ema: expected a module with parameters, got one without');
    this.parameters = named.map(([, p]) => p);
    let size = 0;
    for (const p of this.parameters) {
      this.offsets.push(size);
      size += Math.ceil(p.size / ALIGNMENT) * ALIGNMENT;
    }
    this.block = this.parameters[0].emptyOnHeap([size]);
    this.block.backend.kernels.fill({ n: size, out: this.block.ptr, value: 0 });
    for (const [i, [name, p]] of named.entries()) {
      const average = this.block.view(p.shape, this.offsets[i]) as Tensor;
      this.averages.set(name, average.copyFrom(p));
    }
  }

  /** The number of updates so far, which is the t of the next one. */
  get updates(): number {
    return this.count;
  }

  /**
   * Moves the averages towards the current parameters. Call it after each step of the optimiser.
   * @throws LangevinError between `swapIn` and `swapOut`
   */
  update(): void {
    if (this.swapped)
      throw new LangevinError('Ema: expected swapOut() before update(): the module holds the averages');
    const t = this.count++;
    const rate = 1 - (this.warmup ? Math.min(this.decay, (1 + t) / (10 + t)) : this.decay);
    for (let first = 0, end: number; first < this.parameters.length; first = end) {
      end = this.runEnd(first);
      const last = end - 1;
      const n = this.offsets[last] - this.offsets[first] + this.parameters[last].size;
      this.approach(n, this.parameters[first].ptr, this.averageAt(first), rate);
    }
    for (const average of this.averages.values()) average.markWritten();
  }

  /** The end of the run of parameters from `first` on that have the same layout in memory as their averages. */
  private runEnd(first: number): number {
    const shift = this.parameters[first].ptr - this.averageAt(first);
    let end = first + 1;
    while (end < this.parameters.length && this.parameters[end].ptr - this.averageAt(end) === shift) end++;
    return end;
  }

  private averageAt(i: number): Ptr {
    return this.block.ptr + this.offsets[i] * this.block.backend.elementBytes;
  }

  /** average[n] += rate·(parameter - average). This is a gradient step on (parameter - average)²/2. */
  private approach(n: number, parameter: Ptr, average: Ptr, rate: number): void {
    const plain = { buffer: null, momentum: 0, dampening: 0, nesterov: false, first: false };
    // We use SGD's step with the gradient `parameter` and l2 = -1. Its direction is parameter - average.
    this.block.backend.kernels.sgd({ n, p: average, g: parameter, ...plain, lr: -rate, l2: -1 });
  }

  /**
   * Exchanges averages and parameters. The module then computes with the averages until `swapOut`.
   * @throws LangevinError if they are exchanged already
   */
  swapIn(): void {
    if (this.swapped) throw new LangevinError('Ema: expected swapOut() before a second swapIn()');
    this.exchange();
  }

  /**
   * Puts the parameters back into the module.
   * @throws LangevinError without a `swapIn` before
   */
  swapOut(): void {
    if (!this.swapped) throw new LangevinError('Ema: expected swapIn() before swapOut()');
    this.exchange();
  }

  private exchange(): void {
    for (const [i, average] of [...this.averages.values()].entries()) {
      const p = this.parameters[i];
      const kept = p.keep();
      p.copyFrom(average);
      average.copyFrom(kept);
      kept.dispose();
    }
    this.swapped = !this.swapped;
  }

  /**
   * Copies the averages into the parameters of a module with the same structure: the averaged module itself, or
   * another.
   * @throws ValueError or ShapeError if it has other parameters
   */
  copyTo(module: Module): void {
    copyState(this.stateDict(), new Map(module.namedParameters()));
  }

  /**
   * The averages themselves, under their parameters' names. Save them together with `updates`.
   * @throws LangevinError between `swapIn` and `swapOut`
   */
  stateDict(): StateDict {
    if (this.swapped) throw new LangevinError('Ema: expected swapOut() first: the module holds the averages');
    return new Map(this.averages);
  }

  /**
   * Continues from averages that were saved after `updates` updates. If anything does not fit, nothing is changed.
   * @throws ValueError, ShapeError
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, updates: number): void {
    if (!Number.isSafeInteger(updates) || updates < 0) {
      throw new ValueError(`Ema: expected a whole number of updates >= 0, got ${updates}`);
    }
    copyState(state, this.stateDict());
    this.count = updates;
  }

  /** Frees the averages. */
  dispose(): void {
    for (const average of this.averages.values()) average.dispose();
    this.block.dispose();
  }
}
