/**
 * Sampling in a few large steps, for distilled models. The levels are N equal intervals of time, down to the data. One
 * step of Euler crosses an interval. So a model that predicts the right quantity needs N evaluations.
 *
 * Along a path x(t) of the probability-flow ODE the right quantity is the average of the velocity over the interval:
 *
 *     u(x_t, r, t) = 1/(t - r)·∫ v(x_s, s) ds from r to t = (x_t - x_r)/(t - r)
 *
 * It is the prediction `flow` of a step that starts at x_t and ends at x_r. Two halves of an interval fit together:
 *
 *     (t - r)·u(x_t, r, t) = (t - s)·u(x_t, s, t) + (s - r)·u(x_s, r, s)
 *
 * So the average over an interval follows from smaller steps inside it. For another kind of prediction and another
 * schedule `jumps` gives the prediction with which Euler's step leads from x_t to x_r. It is affine in both.
 *
 * Sources: Salimans and Ho, "Progressive distillation for fast sampling of diffusion models" (2022), appendix G; Geng et
 * al., "Mean flows for one-step generative modeling" (2025); Guo et al., "SplitMeanFlow" (2025).
 */
import { ValueError } from '../errors.ts';
import { checkSteps } from './check.ts';
import type { NoiseLevel } from './level.ts';
import { type Coefficients, conversion, type Prediction } from './prediction.ts';
import { eulerMap, scaleOf } from './samplers/euler.ts';
import { cleanLevel, type NoiseSchedule } from './schedule.ts';
import { timesteps } from './spacing.ts';

/**
 * The levels of `steps` equal steps of time, from the most noise to the data: steps + 1 levels. On a schedule with steps
 * they are those of the spacing `trailing`.
 * @throws ValueError for steps that the schedule does not have
 */
export function fewStepLevels(schedule: NoiseSchedule, steps: number): NoiseLevel[] {
  return [...evenTimes(schedule, steps).map((t) => schedule.level(t)), cleanLevel(schedule)];
}

/** The times of the levels with noise. */
function evenTimes({ times, tMin, tMax, name }: NoiseSchedule, steps: number): number[] {
  checkSteps('sampler', steps, 1);
  if (times) return timesteps('trailing', times.length, steps).map((i) => times[i]);
  if (!(tMax / steps > tMin)) {
    throw new ValueError(`sampler: expected steps longer than ${tMin} on ${name}, got ${steps} of them`);
  }
  return Array.from({ length: steps }, (_, i) => tMax - (tMax * i) / steps);
}

/** Levels, and the places among them where the intervals of a student begin and end. */
export interface FineLevels {
  readonly levels: readonly NoiseLevel[];
  /** One more than intervals. The first is 0, the last is that of the last level. */
  readonly marks: readonly number[];
}

/**
 * The levels of a teacher that makes `inner` steps in each of `steps` intervals.
 * @param finish whether one more step, from tMin to the data, ends the last interval in continuous time
 */
export function fineLevels(
  schedule: NoiseSchedule,
  steps: number,
  inner: number,
  finish: boolean,
): FineLevels {
  const levels = fewStepLevels(schedule, steps * inner);
  if (finish && !schedule.times) levels.splice(-1, 0, schedule.level(schedule.tMin));
  const marks = Array.from({ length: steps }, (_, i) => i * inner);
  return { levels, marks: [...marks, levels.length - 1] };
}

/**
 * (a, b) for each interval: Euler's step from x_i with the prediction a·x_i + b·x_{i+1} ends at x_{i+1}.
 * @throws ValueError for a prediction that does not determine the data, such as eps at pure noise
 */
export function jumps(levels: readonly NoiseLevel[], predicts: Prediction): Coefficients[] {
  const scale = scaleOf(levels);
  return levels.slice(1).map((to, i) => {
    const [ofX, ofX0] = eulerMap(levels[i], to, scale);
    // x_{i+1} = ofX·x_i + ofX0·x0, solved for x0, and then converted.
    conversion(predicts, 'x0', levels[i]);
    const [a, b] = conversion('x0', predicts, levels[i]);
    return [a - (b * ofX) / ofX0, b / ofX0];
  });
}
