/**
 * Discrete noise schedules: a table of T levels, made by name or from given betas, alphaBars or sigmas.
 *
 * All numbers are float64. 1 - alphaBar is computed from the betas, not by subtraction:
 * 1 - alphaBar_t = (1 - alphaBar_{t-1})(1 - beta_t) + beta_t. This is a sum of positive terms, so the first levels keep
 * all their digits.
 *
 * Between two entries of a table, ln(sigma/alpha) is linear in time, as in Karras et al. (2022) and in diffusers.
 */
import { ValueError } from '../errors.ts';
import { exp, log } from '../math.ts';
import { oneOf, withDefaults } from '../options.ts';
import {
  BETA_DEFAULTS,
  BETA_SCHEDULES,
  type BetaOptions,
  type BetaSchedule,
  namedBetas,
  rescaleZeroTerminalSnr,
} from './betas.ts';
import { checkSteps } from './check.ts';
import { type NoiseLevel, noiseToSignal, transition } from './level.ts';
import { cleanLevel, type NoiseSchedule } from './schedule.ts';

const SCALINGS = ['preserving', 'exploding'] as const;
/** How a schedule scales the signal: `preserving` has alpha² + sigma² = 1, `exploding` has alpha = 1. */
export type Scaling = (typeof SCALINGS)[number];

/** Options of a schedule that is given as a table. */
export interface ScheduleTableOptions {
  /** The name in messages. Default `given`. */
  readonly name?: string | undefined;
  /** The time of each entry in the model's training, increasing. Default 0 to T-1. */
  readonly timesteps?: ArrayLike<number> | undefined;
}

const TABLE_DEFAULTS = { name: 'given', timesteps: undefined } as const;

/** (alphaBar, 1 - alphaBar) of each entry. We store both: 1 minus the other loses digits near 0. */
type Shares = readonly (readonly [number, number])[];

/**
 * A schedule of T levels, a table. Between two entries ln(sigma/alpha) is linear in time. `fromBetas` and
 * `fromAlphaBars` make one, with a `scaling`.
 */
export class DiscreteSchedule implements NoiseSchedule {
  readonly times: Float64Array;
  /** The level of each entry, [T]. The noise grows. */
  readonly levels: readonly NoiseLevel[];
  /** ln(sigma/alpha) of each entry. */
  private readonly logRatios: Float64Array;

  private constructor(
    shares: Shares,
    readonly scaling: Scaling,
    options: ScheduleTableOptions,
  ) {
    const { name, timesteps } = withDefaults('schedule', options, TABLE_DEFAULTS);
    this.name = name;
    checkSteps(`schedule ${name}`, shares.length);
    this.times = checkTimes(name, timesteps, shares.length);
    this.levels = shares.map(([alphaBar, rest], i) => ({
      t: this.times[i],
      alpha: scaling === 'preserving' ? Math.sqrt(alphaBar) : 1,
      sigma: scaling === 'preserving' ? Math.sqrt(rest) : Math.sqrt(rest / alphaBar),
    }));
    this.alphaBars = Float64Array.from(shares, ([alphaBar]) => alphaBar);
    const ratios = this.levels.map(noiseToSignal);
    const wrong = ratios.findIndex((r, i) => !(r > (i === 0 ? 0 : ratios[i - 1])));
    if (wrong >= 0) {
      throw new ValueError(
        `schedule ${name}: expected noise that grows with time, got sigma/alpha ${ratios[wrong]} at entry ${wrong}`,
      );
    }
    this.logRatios = Float64Array.from(ratios, log);
  }

  /** The name in messages. */
  readonly name: string;
  /** The data's share of the variance, 1/(1 + (sigma/alpha)²). It is alpha² if alpha² + sigma² = 1. */
  readonly alphaBars: Float64Array;

  /**
   * A schedule from betas, the variances that the steps add, each in (0, 1).
   * @throws ValueError for a beta outside (0, 1), or fewer than two betas
   */
  static fromBetas(betas: ArrayLike<number>, options: ScheduleTableOptions = {}): DiscreteSchedule {
    let [alphaBar, rest] = [1, 0];
    const shares = Array.from(betas, (beta, t) => {
      if (!(beta > 0 && beta < 1)) {
        throw new ValueError(`betas: expected numbers in (0, 1), got ${beta} at step ${t}`);
      }
      alphaBar *= 1 - beta;
      rest = rest * (1 - beta) + beta;
      return [alphaBar, rest] as const;
    });
    return new DiscreteSchedule(shares, 'preserving', options);
  }

  /**
   * A schedule from alphaBars, decreasing, each in [0, 1). Only the last can be 0.
   * @throws ValueError for other numbers
   */
  static fromAlphaBars(alphaBars: ArrayLike<number>, options: ScheduleTableOptions = {}): DiscreteSchedule {
    const shares = Array.from(alphaBars, (alphaBar, t) => {
      if (!(alphaBar >= 0 && alphaBar < 1)) {
        throw new ValueError(`alphaBars: expected numbers in [0, 1), got ${alphaBar} at step ${t}`);
      }
      return [alphaBar, 1 - alphaBar] as const;
    });
    return new DiscreteSchedule(shares, 'preserving', options);
  }

  /**
   * A schedule from values of sigma/alpha, increasing, each > 0. alpha is 1 unless `scaling` is `preserving`.
   * @throws ValueError for other numbers
   */
  static fromSigmas(
    sigmas: ArrayLike<number>,
    options: ScheduleTableOptions & { readonly scaling?: Scaling } = {},
  ): DiscreteSchedule {
    const { scaling, ...rest } = withDefaults('schedule', options, {
      ...TABLE_DEFAULTS,
      scaling: 'exploding',
    });
    const shares = Array.from(sigmas, (sigma, t) => {
      if (!(sigma > 0 && sigma < Infinity)) {
        throw new ValueError(`sigmas: expected finite numbers > 0, got ${sigma} at step ${t}`);
      }
      const total = 1 + sigma * sigma;
      return [1 / total, (sigma * sigma) / total] as const;
    });
    return new DiscreteSchedule(shares, oneOf('schedule: scaling', SCALINGS, scaling), rest);
  }

  /** The number of entries, T. */
  get length(): number {
    return this.levels.length;
  }

  get tMin(): number {
    return this.times[0];
  }

  /** The last time of the table. */
  get tMax(): number {
    return this.times[this.length - 1];
  }

  get priorStd(): number {
    return this.scaling === 'preserving' ? 1 : this.levels[this.length - 1].sigma;
  }

  /** sigma/alpha of each entry: the sigmas of Karras et al. and of diffusers. */
  get sigmas(): Float64Array {
    return Float64Array.from(this.levels, noiseToSignal);
  }

  /** alphaBar/(1 - alphaBar) of each entry. */
  get snrs(): Float64Array {
    return this.sigmas.map((sigma) => 1 / sigma / sigma);
  }

  /** The variance that each step adds. The first step begins at the data. */
  get betas(): Float64Array {
    return Float64Array.from(this.levels, (_, i) => this.transition(i).beta);
  }

  /** The variance of q(x_{t-1} | x_t, x0) of each step, betaTilde. It is 0 for the first step. */
  get posteriorVariances(): Float64Array {
    return Float64Array.from(this.levels, (_, i) => this.transition(i).variance);
  }

  /** The logarithms of `posteriorVariances`. The second replaces the first, ln(0), as in the code of Ho et al. */
  get posteriorLogVariances(): Float64Array {
    return Float64Array.from(this.levels, (_, i) => log(this.transition(Math.max(i, 1)).variance));
  }

  /** The transition from entry i to entry i - 1, or to the data for i = 0. */
  transition(i: number): ReturnType<typeof transition> {
    return transition(this.levels[i], this.levels[i - 1] ?? cleanLevel(this));
  }

  level(t: number): NoiseLevel {
    if (!(t >= this.tMin && t <= this.tMax)) {
      throw new ValueError(
        `schedule ${this.name}: expected a time from ${this.tMin} to ${this.tMax}, got ${t}`,
      );
    }
    const i = below(this.times, t);
    if (this.times[i] === t) return this.levels[i];
    const w = (t - this.times[i]) / (this.times[i + 1] - this.times[i]);
    return this.scaled(t, exp(this.logRatios[i] * (1 - w) + this.logRatios[i + 1] * w));
  }

  /**
   * The level at which sigma/alpha is `value`. Between two entries it is interpolated. Its time is clamped to [tMin,
   * tMax].
   * @throws ValueError for a value that is not > 0
   */
  levelOfRatio(value: number): NoiseLevel {
    if (!(value > 0)) throw new ValueError(`schedule ${this.name}: expected sigma/alpha > 0, got ${value}`);
    const [logRatio, last] = [log(value), this.length - 1];
    if (logRatio <= this.logRatios[0]) return this.scaled(this.tMin, value);
    if (logRatio >= this.logRatios[last]) return this.scaled(this.tMax, value);
    const i = below(this.logRatios, logRatio);
    const w = (logRatio - this.logRatios[i]) / (this.logRatios[i + 1] - this.logRatios[i]);
    return this.scaled(this.times[i] + w * (this.times[i + 1] - this.times[i]), value);
  }

  private scaled(t: number, value: number): NoiseLevel {
    if (this.scaling === 'exploding') return { t, alpha: 1, sigma: value };
    const norm = Math.sqrt(1 + value * value);
    return value === Infinity ? { t, alpha: 0, sigma: 1 } : { t, alpha: 1 / norm, sigma: value / norm };
  }
}

/** The last index with table[i] <= value, for an increasing table with table[0] <= value. */
function below(table: ArrayLike<number>, value: number): number {
  let [lo, hi] = [0, table.length - 1];
  while (lo < hi) {
    const middle = Math.ceil((lo + hi) / 2);
    if (table[middle] <= value) lo = middle;
    else hi = middle - 1;
  }
  return lo;
}

function checkTimes(name: string, given: ArrayLike<number> | undefined, length: number): Float64Array {
  const times = Float64Array.from(given ?? { length }, (t, i) => (given ? (t as number) : i));
  if (times.length !== length) {
    throw new ValueError(`schedule ${name}: expected ${length} timesteps, got ${times.length}`);
  }
  const wrong = times.findIndex((t, i) => !Number.isFinite(t) || (i > 0 && !(t > times[i - 1])));
  if (wrong >= 0) {
    throw new ValueError(`schedule ${name}: expected increasing timesteps, got ${times[wrong]} at ${wrong}`);
  }
  return times;
}

/** Options of `createSchedule`. */
export interface ScheduleOptions extends BetaOptions {
  /** Whether the last level is pure noise (`rescaleZeroTerminalSnr`). Default false. */
  readonly zeroTerminalSnr?: boolean;
}

/**
 * The discrete schedule of that name and length. `namedBetas` has the names.
 * @throws ValueError for an unknown name, or steps that are not a whole number >= 2
 */
export function createSchedule(
  name: BetaSchedule,
  steps = 1000,
  options: ScheduleOptions = {},
): DiscreteSchedule {
  const known = oneOf('schedule', BETA_SCHEDULES, name);
  const defaults = { ...BETA_DEFAULTS, zeroTerminalSnr: false };
  const { zeroTerminalSnr, ...rest } = withDefaults(`schedule ${known}`, options, defaults);
  const made = DiscreteSchedule.fromBetas(namedBetas(known, steps, rest), { name: known });
  if (!zeroTerminalSnr) return made;
  return DiscreteSchedule.fromAlphaBars(rescaleZeroTerminalSnr(made.alphaBars), { name: known });
}
