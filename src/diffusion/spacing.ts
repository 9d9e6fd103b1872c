/**
 * The levels of a sampler, from the most noise to the least. N steps have N+1 levels.
 *
 * For a table of T times, with the names of diffusers and of Lin et al. (2023), table 2 (halves round to even):
 *   leading   0, T/N, 2T/N, ... with T/N rounded down; it does not have the level with the most noise
 *   linspace  from 0 to T-1, both included
 *   trailing  T-1, T-1-T/N, ...; it begins at the level with the most noise
 * For any schedule:
 *   karras    Karras' sigmas (2022), equally spaced in (sigma/alpha)^(1/rho). From pure noise, and on the rectified
 *             flow, equally spaced in (sigma/(alpha + sigma))^(1/rho), the flow's own time, as in diffusers' FlowMatch
 *             schedulers
 *   log-snr   equally spaced in lambda = ln(alpha/sigma), as the orders of DPM-Solver assume
 * In continuous time the first three are the same: equally spaced times.
 *
 * With `strength` the run starts at a share of the schedule's time, from data with the noise of that time (SDEdit, Meng
 * et al. 2022). The level of that time replaces the nearest level of the grid. Levels with more noise are left out.
 *
 * `end: 'clean'` appends the level without noise (sigma = 0), as DDPM and DDIM do. `end: 'first'` ends at tMin, the
 * schedule's first time. It is for measuring convergence and for inverting an ODE.
 */
import { ValueError } from '../errors.ts';
import { exp, log } from '../math.ts';
import { type Defaults, oneOf, withDefaults } from '../options.ts';
import { karrasSigmas } from './betas.ts';
import { checkSteps } from './check.ts';
import { type NoiseLevel, noiseToSignal } from './level.ts';
import { cleanLevel, type NoiseSchedule, timeAt } from './schedule.ts';

/** The names of the spacings. */
export const SPACINGS = ['leading', 'linspace', 'trailing', 'karras', 'log-snr'] as const;
/** How the levels of a sampler are spaced. */
export type Spacing = (typeof SPACINGS)[number];

/** Options of the grid of a sampler. */
export interface SpacingOptions {
  /** The number of steps. Default 50, or the length of the table if that is smaller. */
  readonly steps?: number | undefined;
  /** Default `trailing`. */
  readonly spacing?: Spacing | undefined;
  /** Default `clean`. */
  readonly end?: 'clean' | 'first' | undefined;
  /** rho of `karras`. Default 7. */
  readonly rho?: number | undefined;
  /** A number added to the times of `leading`: steps_offset of diffusers. */
  readonly offset?: number | undefined;
  /** The times of the levels, decreasing, in place of steps and spacing. */
  readonly timesteps?: ArrayLike<number> | undefined;
  /** The first time, as a share of the schedule's: above 0, at most 1. Default 1, the whole grid. */
  readonly strength?: number | undefined;
  /** The levels, in place of all other options but `strength`. */
  readonly levels?: readonly NoiseLevel[] | undefined;
}

/** Rounds to a whole number, ties to even, as NumPy does. */
function roundEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/**
 * Indices in a table of `length` times, decreasing, for one of the first three spacings.
 * @throws ValueError for more steps than the table has, or an offset that leads out of the table
 */
export function timesteps(spacing: Spacing, length: number, steps: number, offset = 0): number[] {
  checkSteps('sampler', steps, 1);
  if (steps > length) {
    throw new ValueError(
      `sampler: expected at most the schedule's ${length} training steps, got ${steps} sampling steps`,
    );
  }
  const indices = Array.from({ length: steps }, (_, i) => {
    if (spacing === 'leading') return i * Math.floor(length / steps) + offset;
    if (spacing === 'linspace') return steps === 1 ? 0 : roundEven((i * (length - 1)) / (steps - 1));
    // numpy.arange(T, 0, -T/N), then reversed: element steps-1-i of it
    return roundEven(length - (steps - 1 - i) * (length / steps)) - 1;
  });
  if (indices[steps - 1] >= length || indices[0] < 0) {
    throw new ValueError(`sampler: expected an offset within the schedule's ${length} steps, got ${offset}`);
  }
  return indices.reverse();
}

/** The keys of `SpacingOptions`. The defaults depend on the schedule and on the other options. */
export const SPACING_DEFAULTS = {
  steps: undefined,
  spacing: undefined,
  end: undefined,
  rho: undefined,
  offset: undefined,
  timesteps: undefined,
  strength: undefined,
  levels: undefined,
} as const satisfies Defaults<SpacingOptions>;

/**
 * The levels of a sampler; the one with the most noise is first.
 * @throws ValueError for an unknown spacing, too many steps, or levels whose noise does not decrease
 */
export function spacedLevels(schedule: NoiseSchedule, options: SpacingOptions = {}): NoiseLevel[] {
  withDefaults('spacing', options, SPACING_DEFAULTS);
  return levelsOf(schedule, options);
}

/** As `spacedLevels`, but ignores other options, such as those of a sampler. */
export function levelsOf(schedule: NoiseSchedule, options: SpacingOptions): NoiseLevel[] {
  const grid = options.levels ? [...options.levels] : spaced(schedule, options);
  const levels = begun(schedule, grid, options.strength ?? 1);
  if (levels.length < 2) throw new ValueError(`sampler: expected at least two levels, got ${levels.length}`);
  for (let i = 1; i < levels.length; i++) {
    if (!(noiseToSignal(levels[i]) < noiseToSignal(levels[i - 1]))) {
      throw new ValueError(
        `sampler: expected levels with decreasing sigma/alpha, got ${noiseToSignal(levels[i])} after ${noiseToSignal(levels[i - 1])}`,
      );
    }
  }
  return levels;
}

/** The levels of the grid that remain for this strength. */
function begun(schedule: NoiseSchedule, grid: NoiseLevel[], strength: number): NoiseLevel[] {
  if (!(strength > 0 && strength <= 1)) {
    throw new ValueError(`sampler: expected a strength above 0, at most 1, got ${strength}`);
  }
  if (strength === 1) return grid;
  const first = schedule.level(timeAt(schedule, strength));
  // The last level is where the run ends.
  const distances = grid.slice(0, -1).map(({ t }) => Math.abs(t - first.t));
  return [first, ...grid.slice(distances.indexOf(Math.min(...distances)) + 1)];
}

function spaced(schedule: NoiseSchedule, options: SpacingOptions): NoiseLevel[] {
  const { end = 'clean' } = options;
  const spacing = oneOf('spacing', SPACINGS, options.spacing ?? 'trailing');
  if (end !== 'clean' && end !== 'first')
    throw new ValueError(`end: expected clean or first, got "${String(end)}"`);
  const levels = options.timesteps
    ? Array.from(options.timesteps, (t) => schedule.level(t))
    : noisy(schedule, spacing, end, options);
  if (end === 'clean') levels.push(cleanLevel(schedule));
  return levels;
}

/** The levels with noise: as many as steps, or one more for `end: 'first'`. */
function noisy(
  schedule: NoiseSchedule,
  spacing: Spacing,
  end: 'clean' | 'first',
  { steps, rho = 7, offset = 0 }: SpacingOptions,
): NoiseLevel[] {
  const { times, tMin, tMax } = schedule;
  const available = times ? times.length - (end === 'first' ? 1 : 0) : Infinity;
  const count = checkSteps('sampler', steps ?? Math.min(50, available), 1);
  const points = count + (end === 'first' ? 1 : 0);
  if (count > available) {
    throw new ValueError(
      `sampler: expected at most ${available} sampling steps on the schedule's ${times!.length} training steps, got ${count}`,
    );
  }
  if (spacing === 'karras' || spacing === 'log-snr') {
    const [most, least] = [noiseToSignal(schedule.level(tMax)), noiseToSignal(schedule.level(tMin))];
    if (points === 1) return [schedule.level(tMax)];
    const ratios =
      spacing === 'karras' ? karrasRatios(schedule, points, rho) : geometric(points, least, most);
    return Array.from(ratios, (value, i) =>
      i === 0 ? schedule.level(tMax) : i === points - 1 ? schedule.level(tMin) : schedule.levelOfRatio(value),
    );
  }
  if (times) {
    // If both ends of the table are included, trailing is linspace.
    const kind = spacing === 'trailing' && end === 'first' ? 'linspace' : spacing;
    const indices = timesteps(kind, times.length, points, offset);
    return indices.map((i) => schedule.level(times[i]));
  }
  const last = Math.max(1, points - 1);
  return Array.from({ length: points }, (_, i) =>
    schedule.level(i === last ? tMin : tMax + ((tMin - tMax) * i) / last),
  );
}

/**
 * Whether the levels are on the straight line from data to noise, alpha + sigma = 1, or begin at pure noise. Near pure
 * noise sigma/alpha goes to infinity, so it is not a good variable for steps.
 */
export function isStraight(levels: readonly NoiseLevel[]): boolean {
  return levels[0].alpha === 0 || levels.every(({ alpha, sigma }) => Math.abs(alpha + sigma - 1) < 1e-12);
}

/** Values of sigma/alpha on Karras' grid, decreasing. */
function karrasRatios(schedule: NoiseSchedule, points: number, rho: number): ArrayLike<number> {
  const ends = [schedule.level(schedule.tMax), schedule.level(schedule.tMin)];
  if (!isStraight(ends)) {
    const [most, least] = ends.map(noiseToSignal);
    return karrasSigmas(points, least, most, rho);
  }
  const [most, least] = ends.map(({ alpha, sigma }) => sigma / (alpha + sigma));
  return karrasSigmas(points, least, most, rho).map((share) => share / (1 - share));
}

/** Equally spaced logarithms, from `most` down to `least`. */
function geometric(n: number, least: number, most: number): Float64Array {
  if (!(most < Infinity)) {
    throw new ValueError('spacing log-snr: expected a schedule whose last level has an SNR above 0, got 0');
  }
  const [first, last] = [log(most), log(least)];
  return Float64Array.from({ length: n }, (_, i) => exp(first + ((last - first) * i) / (n - 1)));
}
