/**
 * Adaptive steps: solves over [t0, t1] and chooses each step so that an estimate of its error is within tolerance.
 *
 * The estimate compares one step with two half steps on the same Brownian path. The result of the two half steps is
 * kept. The path is a Brownian tree: after a rejection, the shorter steps use the same path. So rejections do not
 * change the law of the solution. All paths of a batch share the steps. The estimate is the root mean square over
 * the batch of error/(atol + rtol·max(|x|, |x'|)).
 *
 * A proportional-integral controller chooses the next step. Let e_n be the scaled error of step n and
 * k = strong order + 1/2. The step is multiplied by
 * factor = 0.9·e_n^(-(kI + kP))·e_(n-1)^(kP), kI = 0.3/k, kP = 0.4/k, within [0.2, 5].
 *
 * Adaptive steps depend on future noise. With them Euler-Maruyama can converge to a wrong limit if the noise is not
 * additive (Gaines and Lyons, 1997). So a solver needs strong order 1 or more for the equation's noise; others are
 * refused.
 * Source: Gaines and Lyons, "Variable step size control in the numerical solution of stochastic differential
 * equations" (1997); Gustafsson (1991) and Hairer and Wanner (1996), IV.2, for the controller.
 */
import { noGrad, scope } from '../autograd/tape.ts';
import { DivergenceError, ValueError } from '../errors.ts';
import { pow } from '../math.ts';
import { withDefaults } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { BrownianPath } from './brownian-path.ts';
import { assertFits, noiseOf, type SDE, type SdeSolver } from './sde.ts';
import { advance, copyElements, timesOf } from './solve.ts';

/** Options of `solveAdaptive`. */
export interface AdaptiveOptions {
  /** The path of the noise. Rejected steps need its values between the times reached. */
  readonly path: BrownianPath;
  /** Default: the path's interval. */
  readonly t0?: number;
  /** Default: the end of the path's interval. */
  readonly t1?: number;
  /** Relative and absolute tolerance of a step. Defaults 1e-3 and 1e-4. */
  readonly rtol?: number;
  /** Default 1e-4. */
  readonly atol?: number;
  /** The first step to try. Default: a hundredth of the interval. */
  readonly firstStep?: number;
  /** The shortest step that is allowed. Default: 1e-6 of the interval. */
  readonly leastStep?: number;
  /** The largest number of steps, rejected ones included. Default 100,000. */
  readonly maxSteps?: number;
}

/** The result of `solveAdaptive`. */
export interface AdaptiveSolution {
  /** The times reached, from t0 to t1. */
  readonly times: Float64Array;
  /** The states at these times, `[times, ...x]`, on the heap: free them with `dispose()`. */
  readonly states: Tensor;
  /** The number of accepted steps. */
  readonly accepted: number;
  /** The number of rejected steps. */
  readonly rejected: number;
}

const SAFETY = 0.9;
const [LEAST, MOST] = [0.2, 5];

/**
 * Solves from the batch `x` along `path` with adaptive steps.
 * @throws ValueError if the solver does not fit the equation, or an option is out of range
 * @throws DivergenceError if the shortest step does not meet the tolerance, or after `maxSteps`
 */
export function solveAdaptive(
  sde: SDE,
  solver: SdeSolver,
  x: Tensor,
  options: AdaptiveOptions,
): AdaptiveSolution {
  const filled = withDefaults('solveAdaptive', options, {
    path: undefined,
    t0: undefined,
    t1: undefined,
    rtol: 1e-3,
    atol: 1e-4,
    firstStep: undefined,
    leastStep: undefined,
    maxSteps: 100_000,
  });
  const { path, rtol, atol, maxSteps } = filled;
  const { t0 = path.t0, t1 = path.t1 } = filled;
  timesOf({ t0, t1, steps: 1 });
  const { firstStep = (t1 - t0) / 100, leastStep = (t1 - t0) * 1e-6 } = filled;
  check({ rtol, atol, firstStep, leastStep, maxSteps });
  assertFits(solver, sde);
  const order = solver.orders[noiseOf(sde)]!.strong;
  if (!solver.noiseFree && order < 1) {
    throw new ValueError(
      `adaptive steps: expected a solver of strong order 1 or more for ${noiseOf(sde)} noise, got ${solver.name} of order ${order}`,
    );
  }
  return noGrad(() => {
    const control = new Controller(order + 0.5);
    const times = [t0];
    const kept = [x.keep()];
    const state = scope(() => (solver.begin?.(x) ?? x).keep());
    let [t, dt, rejected] = [t0, Math.min(firstStep, t1 - t0), 0];
    try {
      while (t < t1) {
        // If the step would end just before t1, it ends at t1: no tiny last step remains.
        const next = t + 1.01 * dt >= t1 ? t1 : t + dt;
        const error = scope(() => {
          const once = advance(sde, solver, state, t, next, path);
          const middle = t + (next - t) / 2;
          const half = advance(sde, solver, state, t, middle, path);
          const twice = advance(sde, solver, half, middle, next, path);
          const e = scaledError(solver, state, once, twice, rtol, atol);
          if (e <= 1) {
            state.copyFrom(twice);
            kept.push((solver.read?.(state) ?? state).keep());
          }
          return e;
        });
        dt = (next - t) * control.factor(error);
        if (error <= 1) times.push((t = next));
        else rejected++;
        if (error > 1 && dt < leastStep) {
          throw new DivergenceError(
            `${sde.name ?? 'the SDE'} by ${solver.name}: expected steps of at least ${leastStep}, got a need for shorter ones at t = ${Number(t.toPrecision(6))}: use a larger tolerance, or a process that does not explode`,
          );
        }
        if (times.length + rejected > maxSteps) {
          throw new DivergenceError(
            `${sde.name ?? 'the SDE'} by ${solver.name}: expected at most ${maxSteps} steps, got only to t = ${Number(t.toPrecision(6))} with them`,
          );
        }
      }
      const states = x.emptyOnHeap([kept.length, ...x.shape]);
      for (const [k, value] of kept.entries()) copyElements(value, 0, states, k * x.size, x.size);
      return { times: Float64Array.from(times), states, accepted: times.length - 1, rejected };
    } finally {
      state.dispose();
      for (const value of kept) value.dispose();
    }
  });
}

/** The step controller. Its state is the error of the last accepted step. */
class Controller {
  private before = 1;

  constructor(private readonly k: number) {}

  factor(error: number): number {
    if (!Number.isFinite(error)) return LEAST;
    const e = Math.max(error, 1e-10);
    const factor = SAFETY * pow(e, -0.7 / this.k) * pow(this.before, 0.4 / this.k);
    if (error <= 1) this.before = e;
    return Math.min(error <= 1 ? MOST : 1, Math.max(LEAST, factor));
  }
}

function scaledError(
  solver: SdeSolver,
  from: Tensor,
  once: Tensor,
  twice: Tensor,
  rtol: number,
  atol: number,
): number {
  const read = (s: Tensor) => solver.read?.(s) ?? s;
  const scale = read(from).abs().maximum(read(twice).abs()).mul(rtol).add(atol);
  const share = read(once).sub(read(twice)).div(scale);
  return Math.sqrt(share.mul(share).mean().item());
}

function check(values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value > 0)) throw new ValueError(`adaptive steps: expected ${name} above 0, got ${value}`);
  }
}
