/**
 * An exponential moving average of a module's parameters: with diffusion models it is the average that samples,
 * as it moves less from step to step than the parameters do.
 *
 *     average += (1 - d)·(parameter - average),   d = min(decay, (1 + t)/(10 + t)) at update t = 0, 1, ...
 *
 * The warm-up of d lets the average forget the initial values. In this form an average of equal parameters stays
 * what it is exactly; d·average + (1-d)·parameter with rounded weights would drift away from them, at float32 by
 * up to 3e-8/(1-d). A difference below 6e-8/(1-d) of the value is lost to float32, whatever the form.
 *
 * The averages lie in one flat block laid out as an optimiser lays out its own, so that an update is one pass
 * over memory. Source: Polyak and Juditsky (1992); the warm-up from TensorFlow's ExponentialMovingAverage.
 */
import type { Variable } from '../autograd/variable.ts';
import type { Ptr } from '../backend/kernels.ts';
import { LangevinError, ValueError } from '../errors.ts';
import { copyState, type Module, type StateDict } from '../nn/module.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkRange } from './optimizer.ts';
import { ALIGNMENT } from './parameters.ts';

export interface EmaOptions {
  /** The share of the average that stays at an update, 0.999 by default. */
  readonly decay?: number;
  /** Whether the decay grows to that value from 0.1; true by default. */
  readonly warmup?: boolean;
}

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
   * Starts with the averages equal to the parameters.
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

  /** Updates so far: the t of the next one. */
  get updates(): number {
    return this.count;
  }

  /**
   * Moves the averages towards the parameters as they are now; called after each step of the optimiser.
   * @throws LangevinError between `swapIn` and `swapOut`
   */
  update(): void {
    if (this.swapped)
      throw new LangevinError('Ema: update() came before swapOut(): the module holds averages');
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

  /** The end of the run of parameters from `first` on that lie in memory as their averages do. */
  private runEnd(first: number): number {
    const shift = this.parameters[first].ptr - this.averageAt(first);
    let end = first + 1;
    while (end < this.parameters.length && this.parameters[end].ptr - this.averageAt(end) === shift) end++;
    return end;
  }

  private averageAt(i: number): Ptr {
    return this.block.ptr + this.offsets[i] * this.block.backend.elementBytes;
  }

  /** average[n] += rate·(parameter - average): a step down the gradient of (parameter - average)²/2. */
  private approach(n: number, parameter: Ptr, average: Ptr, rate: number): void {
    const plain = { buffer: null, momentum: 0, dampening: 0, nesterov: false, first: false };
    // SGD's step with the gradient `parameter` and l2 = -1: the direction is parameter - average.
    this.block.backend.kernels.sgd({ n, p: average, g: parameter, ...plain, lr: -rate, l2: -1 });
  }

  /**
   * Exchanges averages and parameters, so that the module computes with the averages until `swapOut`.
   * @throws LangevinError if they are exchanged already
   */
  swapIn(): void {
    if (this.swapped) throw new LangevinError('Ema: swapIn() was called twice without swapOut()');
    this.exchange();
  }

  /**
   * Gives the module its parameters back.
   * @throws LangevinError without a `swapIn` before
   */
  swapOut(): void {
    if (!this.swapped) throw new LangevinError('Ema: swapOut() was called without swapIn()');
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
   * Copies the averages into the parameters of a module of the same form: of the one they come from, or another.
   * @throws ValueError or ShapeError if it has other parameters
   */
  copyTo(module: Module): void {
    copyState(this.stateDict(), new Map(module.namedParameters()));
  }

  /**
   * The averages themselves, under their parameters' names; what is to be saved, together with `updates`.
   * @throws LangevinError between `swapIn` and `swapOut`
   */
  stateDict(): StateDict {
    if (this.swapped) throw new LangevinError('Ema: expected swapOut() first: the module holds the averages');
    return new Map(this.averages);
  }

  /**
   * Goes on from averages that were saved after `updates` updates. Nothing is changed unless everything fits.
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
