/**
 * Noise schedules side by side, over time from 0 to 1, in two quantities in which schedules that preserve variance
 * and such that let it explode can be compared:
 *
 *     alphaBar = 1/(1 + (sigma/alpha)²)     the share of the data in the variance
 *     SNR      = (alpha/sigma)²             the signal-to-noise ratio
 */
import { BETA_SCHEDULES, type BetaSchedule, karrasSigmas } from '../../diffusion/betas.ts';
import {
  CONTINUOUS_SCHEDULES,
  type ContinuousName,
  continuousSchedule,
} from '../../diffusion/continuous-schedule.ts';
import { createSchedule, DiscreteSchedule } from '../../diffusion/discrete-schedule.ts';
import { type NoiseLevel, snr } from '../../diffusion/level.ts';
import { didYouMean, ValueError } from '../../errors.ts';

/** The schedules that can be shown. */
export const SHOWN_SCHEDULES = [...BETA_SCHEDULES, 'karras', ...CONTINUOUS_SCHEDULES] as const;
export type ShownSchedule = (typeof SHOWN_SCHEDULES)[number];

export interface SchedulesSettings {
  /** A name that is given twice is shown once. */
  readonly schedule: readonly ShownSchedule[];
  /** T of the schedules with discrete steps. */
  readonly steps: number;
  /** Whether schedules from betas are shown a second time, rescaled so that the last level is noise alone. */
  readonly zeroSnr: boolean;
}

/** Intervals of a curve in continuous time. */
const POINTS = 400;
/** The least and the largest sigma that EDM samples between (Karras et al. 2022, table 1). */
const KARRAS = [0.002, 80] as const;

/** One quantity of one schedule. */
export interface ScheduleCurve {
  readonly name: ShownSchedule;
  /** Whether it is rescaled to a last level of noise alone. */
  readonly zeroSnr: boolean;
  /** t/T, from 0 to 1: `[T]` with discrete steps, `[401]` in continuous time. */
  readonly times: Float64Array;
  /** At those times. */
  readonly values: Float64Array;
}

export interface SchedulesFigure {
  readonly curves: readonly ScheduleCurve[];
}

/** A schedule's levels at times from 0 to 1. */
type Course = Pick<ScheduleCurve, 'name' | 'zeroSnr' | 'times'> & { readonly levels: readonly NoiseLevel[] };

/**
 * Both figures.
 * @throws ValueError for an unknown name, or steps that a schedule cannot have
 */
export function schedulesFigures({ schedule, steps, zeroSnr }: SchedulesSettings): {
  readonly alphaBar: SchedulesFigure;
  readonly snr: SchedulesFigure;
} {
  const courses = [...new Set(schedule)].flatMap((name) => coursesOf(name, steps, zeroSnr));
  const figure = (quantity: (level: NoiseLevel) => number): SchedulesFigure => ({
    curves: courses.map(({ levels, ...curve }) => ({
      ...curve,
      values: Float64Array.from(levels, quantity),
    })),
  });
  return { alphaBar: figure((level) => 1 / (1 + 1 / snr(level))), snr: figure(snr) };
}

function coursesOf(name: ShownSchedule, steps: number, zeroSnr: boolean): Course[] {
  const discrete = ({ levels }: DiscreteSchedule, rescaled = false): Course => ({
    name,
    zeroSnr: rescaled,
    times: Float64Array.from(levels, (_, i) => (i + 1) / levels.length),
    levels,
  });
  if (isOneOf(CONTINUOUS_SCHEDULES, name)) return [continuous(name)];
  if (name === 'karras') {
    return [discrete(DiscreteSchedule.fromSigmas(karrasSigmas(steps, ...KARRAS).reverse()))];
  }
  if (!isOneOf(BETA_SCHEDULES, name)) {
    const known = SHOWN_SCHEDULES.join(', ');
    throw new ValueError(
      `schedules: expected some of ${known}, got "${name}".${didYouMean(String(name), SHOWN_SCHEDULES)}`,
    );
  }
  const plain = discrete(createSchedule(name, steps));
  if (!zeroSnr) return [plain];
  return [plain, discrete(createSchedule(name, steps, { zeroTerminalSnr: true }), true)];
}

const isOneOf = <N extends BetaSchedule | ContinuousName>(names: readonly N[], name: string): name is N =>
  names.includes(name as N);

function continuous(name: ContinuousName): Course {
  const schedule = continuousSchedule(name);
  const { tMin, tMax } = schedule;
  const times = Float64Array.from({ length: POINTS + 1 }, (_, i) => i / POINTS);
  const levels = Array.from(times, (t) => schedule.level(tMin + t * (tMax - tMin)));
  return { name, zeroSnr: false, times, levels };
}
