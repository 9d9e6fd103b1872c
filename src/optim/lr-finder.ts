/**
 * A range test of the learning rate: the rate grows from step to step, and the loss shows which rates learn.
 *
 *     rate_i = from·(to/from)^(i/(steps - 1));   m = β·m + (1-β)·loss_i;   smoothed_i = m / (1 - β^(i+1))
 *
 * The test ends where the smoothed loss has risen far above its smallest value so far. The suggestion is the rate at
 * which it falls fastest: the least central difference over i, that is over log(rate), up to the smallest loss. A
 * tenth of the rate with the smallest loss is another rule in use.
 *
 * Source: Smith (2017), "Cyclical learning rates for training neural networks", section 3.3; the exponential growth and
 * the bias-corrected mean are fastai's.
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
  /** Steps from the one to the other, 100 by default. */
  readonly steps?: number;
  /** β, the share of the mean loss that stays at a step; 0.9 by default, and 0 leaves losses as they are. */
  readonly smoothing?: number;
  /** The test ends where the loss is this many times its smallest value; 4 by default, and Infinity goes to the end. */
  readonly stopAt?: number;
}

/** The course of a range test. Both arrays end where the test did. */
export interface LearningRateCurve {
  readonly rates: number[];
  /** Smoothed losses, each before the step of its rate. */
  readonly losses: number[];
  /** The rate of the steepest descent; null where the loss does not fall. */
  readonly suggestion: number | null;
}

/**
 * Trains for some steps at growing rates, and puts parameters, optimiser and learning rate back to where they were.
 * Gradients are forgotten. What `loss` itself moves on, such as a loader or a generator, stays moved.
 *
 * @param loss the loss of step i, a scalar with its graph; it runs in a scope, and the test takes the step
 * @throws ValueError for options out of range, DivergenceError where the first loss is not finite
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
      // For a loss below 0 too: for one above it this is losses[i] > stopAt·least.
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

/** The loss before the step. No step is taken where it is not finite. */
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

/** The rate in the middle of the steepest descent, up to the smallest loss. */
function steepest(rates: readonly number[], losses: readonly number[]): number | null {
  const end = losses.indexOf(Math.min(...losses));
  let [at, fall] = [-1, 0];
  for (let i = 1; i < end; i++) {
    const difference = losses[i + 1] - losses[i - 1];
    if (difference < fall) [at, fall] = [i, difference];
  }
  return at < 0 ? null : rates[at];
}

/** Copies what a step changes; the result puts it back and frees the copies. */
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
