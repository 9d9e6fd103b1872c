/**
 * Curves of several noise schedules, over time from 0 to 1. There are two quantities. Both can be compared between
 * variance-preserving and variance-exploding schedules:
 *
 *     alphaBar = 1/(1 + (sigma/alpha)²)     the data's share of the variance
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

/** The schedules that the figure can show. */
export const SHOWN_SCHEDULES = [...BETA_SCHEDULES, 'karras', ...CONTINUOUS_SCHEDULES] as const;
export type ShownSchedule = (typeof SHOWN_SCHEDULES)[number];

export interface SchedulesSettings {
  /** The names of the schedules. A repeated name is shown once. */
  readonly schedule: readonly ShownSchedule[];
  /** T of the discrete schedules. */
  readonly steps: number;
  /** Whether to show each schedule from betas a second time, rescaled so that its last level is pure noise. */
  readonly zeroSnr: boolean;
}

/** The number of intervals of a curve in continuous time. */
const POINTS = 400;
/** The smallest and the largest sigma of EDM's sampling (Karras et al. 2022, table 1). */
const KARRAS = [0.002, 80] as const;

/** The curve of one quantity of one schedule. */
export interface ScheduleCurve {
  readonly name: ShownSchedule;
  /** Whether the schedule is rescaled so that its last level is pure noise. */
  readonly zeroSnr: boolean;
  /** t/T, from 0 to 1: `[T]` for discrete steps, `[401]` for continuous time. */
  readonly times: Float64Array;
  /** The quantity at these times. */
  readonly values: Float64Array;
}

export interface SchedulesFigure {
  readonly curves: readonly ScheduleCurve[];
}

/** The levels of a schedule at times from 0 to 1. */
type Course = Pick<ScheduleCurve, 'name' | 'zeroSnr' | 'times'> & { readonly levels: readonly NoiseLevel[] };

/**
 * Both figures.
 * @throws ValueError for an unknown name, or a number of steps that a schedule does not allow
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
