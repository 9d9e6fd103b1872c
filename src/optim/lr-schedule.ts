/**
 * Learning-rate schedules. They are pure functions of the number of steps taken. So a run that resumes from a
 * checkpoint needs no state of the schedule. A training loop applies one with a line:
 *
 * ```ts
 * const schedule = warmupLr(500, cosineLr(1e-3, { steps: 20_000 }));
 * for (let t = 0; t < steps; t++) {
 *   optimizer.lr = schedule(t);
 *   // forward, backward, optimizer.step()
 * }
 * ```
 *
 * The formulas are those of PyTorch's `torch.optim.lr_scheduler`, with t for its `last_epoch`. There are no restarts:
 * PyTorch's cosine rises again after its last step, and this one keeps its last value. The rates are computed in
 * float64 with src/math.ts, so the bits are the same on every engine.
 */
import { ValueError } from '../errors.ts';
import { cos, pow } from '../math.ts';
import { withDefaults } from '../options.ts';

/**
 * The learning rate of step t. The first step has t = 0.
 * @throws ValueError unless t is a finite number >= 0
 */
export type LrSchedule = (t: number) => number;

/** Throws ValueError unless `value` is a number in [lo, hi]. */
function check(schedule: string, what: string, value: number, lo = 0, hi = Number.MAX_VALUE): void {
  if (!(value >= lo && value <= hi)) {
    const range = hi === Number.MAX_VALUE ? `a finite number >= ${lo}` : `a number in [${lo}, ${hi}]`;
    throw new ValueError(`${schedule}: expected ${what} to be ${range}, got ${value}`);
  }
}

/** Throws ValueError unless `value` is a whole number >= 1. */
function checkSteps(schedule: string, what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ValueError(`${schedule}: expected ${what} to be a whole number >= 1, got ${value}`);
  }
}

/** Wraps `at` in a check that t is a number of steps. */
function schedule(name: string, at: LrSchedule): LrSchedule {
  return (t) => {
    check(name, 'the step', t);
    return at(t);
  };
}

/** Always `lr`. @throws ValueError unless the rate is a finite number >= 0 */
export function constantLr(lr: number): LrSchedule {
  check('constantLr', 'lr', lr);
  return schedule('constantLr', () => lr);
}

/**
 * A straight line from `from` at step 0 to `to` at step `steps`, and `to` after that (`LinearLR`).
 * @throws ValueError unless the rates are finite numbers >= 0 and `steps` is a whole number >= 1
 */
export function linearLr(from: number, to: number, options: { steps: number }): LrSchedule {
  const { steps } = withDefaults('linearLr', options, { steps: undefined });
  check('linearLr', 'from', from);
  check('linearLr', 'to', to);
  checkSteps('linearLr', 'steps', steps);
  return schedule('linearLr', (t) => (t < steps ? from + (to - from) * (t / steps) : to));
}

/**
 * lr·gamma^⌊t/every⌋: the rate falls every `every` steps (`StepLR`; gamma is 0.1 by default).
 * @throws ValueError unless the rate and gamma are finite numbers >= 0 and `every` is a whole number >= 1
 */
export function stepLr(lr: number, options: { every: number; gamma?: number }): LrSchedule {
  const { every, gamma } = withDefaults('stepLr', options, { every: undefined, gamma: 0.1 });
  check('stepLr', 'lr', lr);
  checkSteps('stepLr', 'every', every);
  check('stepLr', 'gamma', gamma);
  return schedule('stepLr', (t) => lr * pow(gamma, Math.floor(t / every)));
}

/** lr·gamma^t (`ExponentialLR`). @throws ValueError unless the rate and gamma are finite numbers >= 0 */
export function exponentialLr(lr: number, options: { gamma: number }): LrSchedule {
  const { gamma } = withDefaults('exponentialLr', options, { gamma: undefined });
  check('exponentialLr', 'lr', lr);
  check('exponentialLr', 'gamma', gamma);
  return schedule('exponentialLr', (t) => lr * pow(gamma, t));
}

/**
 * Half a cosine wave from `lr` at step 0 to `end` (0 by default) at step `steps`, and `end` after that: end + (lr -
 * end)·(1 + cos(πt/steps))/2 (`CosineAnnealingLR`). Source: Loshchilov and Hutter (2017), eq. 5.
 * @throws ValueError unless the rates are finite numbers >= 0 and `steps` is a whole number >= 1
 */
export function cosineLr(lr: number, options: { steps: number; end?: number }): LrSchedule {
  const { steps, end } = withDefaults('cosineLr', options, { steps: undefined, end: 0 });
  check('cosineLr', 'lr', lr);
  checkSteps('cosineLr', 'steps', steps);
  check('cosineLr', 'end', end);
  return schedule('cosineLr', (t) =>
    t < steps ? end + ((lr - end) * (1 + cos((Math.PI * t) / steps))) / 2 : end,
  );
}

/**
 * end + (lr - end)·(1 - t/steps)^power, and `end` (0 by default) from step `steps` on. The default power 1 gives a
 * straight line (`PolynomialLR`, which ends at 0).
 * @throws ValueError unless the rates and the power are finite numbers >= 0 and `steps` is a whole number >= 1
 */
export function polynomialLr(
  lr: number,
  options: { steps: number; power?: number; end?: number },
): LrSchedule {
  const { steps, power, end } = withDefaults('polynomialLr', options, { steps: undefined, power: 1, end: 0 });
  check('polynomialLr', 'lr', lr);
  checkSteps('polynomialLr', 'steps', steps);
  check('polynomialLr', 'power', power);
  check('polynomialLr', 'end', end);
  return schedule('polynomialLr', (t) => (t < steps ? end + (lr - end) * pow(1 - t / steps, power) : end));
}

/**
 * Several schedules one after the other. schedules[i] starts at step milestones[i-1], where its own t is 0
 * (`SequentialLR`).
 *
 * @throws ValueError unless there is one milestone less than there are schedules, in ascending order
 */
export function sequenceLr(schedules: readonly LrSchedule[], milestones: readonly number[]): LrSchedule {
  if (schedules.length !== milestones.length + 1) {
    throw new ValueError(
      `sequenceLr: expected one milestone less than schedules, got ${milestones.length} and ${schedules.length}`,
    );
  }
  for (const [i, milestone] of milestones.entries()) {
    checkSteps('sequenceLr', 'a milestone', milestone);
    if (i > 0 && milestone <= milestones[i - 1]) {
      throw new ValueError(`sequenceLr: expected ascending milestones, got ${milestones.join(', ')}`);
    }
  }
  return schedule('sequenceLr', (t) => {
    const i = milestones.filter((milestone) => milestone <= t).length;
    return schedules[i](t - (milestones[i - 1] ?? 0));
  });
}

/**
 * A linear warm-up over `steps` steps to the first rate of `then`, followed by `then` from its own step 0. `from` is
 * the share of that rate at the start, 0 by default.
 * @throws ValueError unless `steps` is a whole number >= 1 and `from` is in [0, 1]
 */
export function warmupLr(steps: number, then: LrSchedule, options: { from?: number } = {}): LrSchedule {
  const { from } = withDefaults('warmupLr', options, { from: 0 });
  check('warmupLr', 'from', from, 0, 1);
  checkSteps('warmupLr', 'steps', steps);
  const peak = then(0);
  return sequenceLr([linearLr(from * peak, peak, { steps }), then], [steps]);
}
