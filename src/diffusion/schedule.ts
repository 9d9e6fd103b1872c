/**
 * Noise schedules: which noise level each time has. A discrete schedule is a table of T levels
 * (discrete-schedule.ts), a continuous one is two functions of time (continuous-schedule.ts). Samplers and
 * objectives take either, and ask no more of it than this.
 */
import type { NoiseLevel } from './level.ts';

export interface NoiseSchedule {
  readonly name: string;
  /** Times of the cleanest and of the noisiest level. */
  readonly tMin: number;
  readonly tMax: number;
  /** The table's times, rising; null where time is continuous. */
  readonly times: ArrayLike<number> | null;
  /** Standard deviation of the noise that sampling starts from. */
  readonly priorStd: number;
  /** The level at a time in [tMin, tMax]. @throws ValueError for another */
  level(t: number): NoiseLevel;
  /** The level where sigma/alpha is `value` > 0; its time is kept within [tMin, tMax]. */
  levelOfRatio(value: number): NoiseLevel;
}

/** The time at the share u of the way from the cleanest level to the noisiest, 0 <= u < 1. */
export function timeAt({ times, tMin, tMax }: NoiseSchedule, u: number): number {
  return times ? times[Math.floor(u * times.length)] : tMin + u * (tMax - tMin);
}

/** The level of the data themselves; its time is the cleanest that the model knows. */
export function cleanLevel({ tMin }: NoiseSchedule): NoiseLevel {
  return { t: tMin, alpha: 1, sigma: 0 };
}
