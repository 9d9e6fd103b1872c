/**
 * Noise schedules: the noise level of each time. A discrete schedule is a table of T levels (discrete-schedule.ts). A
 * continuous schedule is two functions of time (continuous-schedule.ts). Samplers and objectives accept both, and use
 * only this interface.
 */
import type { NoiseLevel } from './level.ts';

/** The noise level of each time. Samplers and objectives use only this. */
export interface NoiseSchedule {
  /** The name in messages. */
  readonly name: string;
  /** The times of the levels with the least and the most noise. */
  readonly tMin: number;
  /** The time of the level with the most noise. */
  readonly tMax: number;
  /** The times of the table, increasing; null for continuous time. */
  readonly times: ArrayLike<number> | null;
  /** The standard deviation of the noise at the start of sampling. */
  readonly priorStd: number;
  /** The level at a time in [tMin, tMax]. @throws ValueError for another time */
  level(t: number): NoiseLevel;
  /** The level at which sigma/alpha is `value` > 0. Its time is clamped to [tMin, tMax]. */
  levelOfRatio(value: number): NoiseLevel;
}

/** The time at the fraction u of the way from tMin to tMax, 0 <= u < 1. */
export function timeAt({ times, tMin, tMax }: NoiseSchedule, u: number): number {
  return times ? times[Math.floor(u * times.length)] : tMin + u * (tMax - tMin);
}

/** The level of data without noise. Its time is tMin, the smallest time of the model. */
export function cleanLevel({ tMin }: NoiseSchedule): NoiseLevel {
  return { t: tMin, alpha: 1, sigma: 0 };
}
