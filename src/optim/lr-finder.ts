/**
 * A range test of the learning rate. The rate grows from step to step, and the curve of the loss shows which rates are
 * useful.
 *
 *     rate_i = from·(to/from)^(i/(steps - 1));   m = β·m + (1-β)·loss_i;   smoothed_i = m / (1 - β^(i+1))
 *
 * The test ends when the smoothed loss has risen far above its smallest value so far. The suggested rate is the one at
 * which the loss falls fastest. That is the smallest central difference over i, which means over log(rate), among the
 * steps up to the smallest loss. Another common rule is a tenth of the rate with the smallest loss.
 *
 * Source: Smith (2017), "Cyclical learning rates for training neural networks", section 3.3. The exponential growth and
 * the bias-corrected mean are from fastai.
 */
import { scope } from '../autograd/tape.ts';
import { DivergenceError, ValueError } from '../errors.ts';
import { pow } from '../math.ts';
import { withDefaults } from '../options.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Optimizer, ParameterState } from './optimizer.ts';

/** Options of `findLearningRate`. */
export interface FindLearningRateOptions {
  /** The first rate, 1e-7 by default. */
  readonly from?: number;
  /** The last rate, 10 by default. */
  readonly to?: number;
  /** The number of steps, 100 by default. */
  readonly steps?: number;
  /** β, the weight of the old mean in a step; 0.9 by default. 0 does not smooth the losses. */
  readonly smoothing?: number;
  /**
   * The test ends when the loss is this many times its smallest value; 4 by default. With Infinity all steps are run.
   */
  readonly stopAt?: number;
}

/** The result of a range test. Both arrays end at the last step of the test. */
export interface LearningRateCurve {
  /** The learning rate of each step, ascending. */
  readonly rates: number[];
  /** Smoothed losses. Each was measured before the step with its rate. */
  readonly losses: number[];
  /** The rate of the steepest descent, or null if the loss does not fall. */
  readonly suggestion: number | null;
}

/**
 * Trains for some steps at growing rates. Afterwards it restores parameters, optimiser and learning rate, and clears
 * the gradients. It does not restore what `loss` itself changes, such as a loader or a generator.
 *
 * @param loss returns the loss of step i, a scalar with its graph. It runs in a scope. It must not call `backward` or
 * `step`: the test does that.
 * @throws ValueError for options out of range, DivergenceError if the first loss is not finite
 *
 * @example findLearningRate(adam, () => mse(model.forward(x), y)).suggestion
 */
export function findLearningRate(
  optimizer: Optimizer,
  loss: (step: number) => Tensor,
  options: FindLearningRateOptions = {},
): LearningRateCurve {
  const { from, to, steps, smoothing, stopAt } = withDefaults('findLearningRate', options, {
    from: 1e-7,
    to: 10,
    steps: 100,
    smoothing: 0.9,
    stopAt: 4,
  });
  check('0 < from < to < Infinity', 0 < from && from < to && to < Infinity, `${from} and ${to}`);
  check('a whole number of steps >= 3', Number.isSafeInteger(steps) && steps >= 3, steps);
  check('a smoothing in [0, 1)', smoothing >= 0 && smoothing < 1, smoothing);
  check('stopAt > 1', stopAt > 1, stopAt);
  const putBack = remember(optimizer);
  const rates: number[] = [];
  const losses: number[] = [];
  try {
    for (let i = 0, mean = 0, rest = 1, least = Infinity; i < steps; i++) {
      optimizer.lr = from * pow(to / from, i / (steps - 1));
      const value = takeStep(optimizer, () => loss(i));
      if (!Number.isFinite(value)) break;
      mean = smoothing * mean + (1 - smoothing) * value;
      rest *= smoothing;
      rates.push(optimizer.lr);
      losses.push(mean / (1 - rest));
      least = Math.min(least, losses[i]);
      // This form also works for a loss below 0. For a loss above 0 it equals losses[i] > stopAt·least.
      if (losses[i] > least + (stopAt - 1) * Math.abs(least)) break;
    }
  } finally {
    putBack();
  }
  if (losses.length === 0) {
    throw new DivergenceError(
      `findLearningRate: expected a finite loss before the first step, got NaN or Infinity`,
    );
  }
  return { rates, losses, suggestion: steepest(rates, losses) };
}

/** Throws ValueError unless the condition holds. */
function check(expected: string, holds: boolean, got: unknown): void {
  if (!holds) throw new ValueError(`findLearningRate: expected ${expected}, got ${got}`);
}

/** Returns the loss before the step. No step is taken if the loss is not finite. */
function takeStep(optimizer: Optimizer, loss: () => Tensor): number {
  return scope(() => {
    optimizer.zeroGrad();
    const value = loss();
    const number = value.item();
    if (!Number.isFinite(number)) return number;
    value.backward();
    optimizer.step();
    return number;
  });
}

/** The rate at the steepest descent, among the steps up to the smallest loss. */
function steepest(rates: readonly number[], losses: readonly number[]): number | null {
  const end = losses.indexOf(Math.min(...losses));
  let [at, fall] = [-1, 0];
  for (let i = 1; i < end; i++) {
    const difference = losses[i + 1] - losses[i - 1];
    if (difference < fall) [at, fall] = [i, difference];
  }
  return at < 0 ? null : rates[at];
}

/** Copies what a step changes. The returned function restores it and frees the copies. */
function remember(optimizer: Optimizer): () => void {
  const { lr } = optimizer;
  const { parameters } = optimizer.block;
  const values = parameters.map((p) => p.keep());
  const copies: Tensor[] = [...values];
  const states = optimizer.state.map((state) => {
    const kept = Object.entries(state).map(([name, value]) => {
      if (!(value instanceof Tensor)) return [name, value];
      copies.push(value.keep());
      return [name, copies[copies.length - 1]];
    });
    return Object.fromEntries(kept) as ParameterState;
  });
  return () => {
    optimizer.zeroGrad();
    for (const [i, p] of parameters.entries()) p.copyFrom(values[i]);
    optimizer.loadState(states);
    optimizer.lr = lr;
    for (const copy of copies) copy.dispose();
  };
}
