/**
 * How everything here is measured.
 *
 * The machine is shared, and its speed changes from one moment to the next. So work is cut into slices of about
 * a millisecond (or one run, where that takes longer), and before each slice one of the same length is run of the
 * roof that it is compared with: the multiply-add peak, or a plain copy. Both see the same moments, and of both
 * the best slice counts, the two fastest left out where there are more than twelve. Interference only ever adds
 * time, so that the best of many slices is the work itself, and their ratio is steadier than either.
 *
 * Operands are warm: they are what the last run left in the caches, as in a training step. Everything runs for a
 * while before it is measured, until the engine has compiled it for good. Statistics: the package mitata.
 */
import { measure } from 'mitata';
import { type Row, rates, round, type Work } from './row.ts';
import type { Setting } from './setting.ts';
import { runsFor, timed } from './timing.ts';

/** Work whose rate bounds another's: `amount` flop or bytes a run, on all threads together. */
export interface Roof {
  readonly amount: number;
  run(): void;
}

/** One thing to measure. */
export interface Case extends Work {
  readonly name: string;
  readonly shape: string;
  /** Does the work once. */
  readonly run: () => void;
  /** The same work in plain TypeScript. */
  readonly twin?: () => void;
  /** The same work on the calling thread alone; not by turns, since threads that have nothing to do fall asleep. */
  readonly alone?: () => void;
  /** Compared with by flop where the case has them, else by bytes. */
  readonly roof?: Roof;
  /** For work whose operands are not `Operands`: runs it and its twin, and tells how far apart they end. */
  readonly difference?: () => number;
  /** Further rows, from the measured time in ms: the parts of a program. */
  readonly parts?: (row: Row) => Row[];
}

export interface Sampled {
  /** Milliseconds of one run. */
  readonly best: number;
  readonly median: number;
  /** The best of what ran beside it, a run; NaN without. */
  readonly beside: number;
}

/** Milliseconds: a slice, and how long a case runs before it is measured. */
const SLICE = 1;
const WARM_UP = { quick: 5, full: 25 };
/** Milliseconds that are never too long for several slices. */
const LONG = 50;
/** As mitata does it: the two fastest samples of more than twelve do not count. */
const FEW = 12;

/** The best of some times, by the same rule for work and roof; NaN of none. */
function bestOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length > FEW ? 2 : 0] ?? Number.NaN;
}

/**
 * Samples `run` for about `budget` milliseconds, at least five slices, and `beside` by turns with it. What takes
 * longer than the whole budget is timed once, after one run in which the engine compiles it.
 */
export async function sample(
  run: () => void,
  budget: number,
  quick: boolean,
  beside?: () => void,
): Promise<Sampled> {
  const warmUp = quick ? WARM_UP.quick : WARM_UP.full;
  const long = Math.max(budget, LONG);
  if (timed(run) > long) {
    const once = timed(run);
    if (once > long) return { best: once, median: once, beside: beside ? timed(beside) : Number.NaN };
  }
  const runs = runsFor(SLICE, run, warmUp);
  const besideTimes: number[] = [];
  const besideRuns = beside ? runsFor(timed(run, runs), beside, warmUp) : 0;
  const turn = () => void (beside && besideTimes.push(timed(beside, besideRuns) / besideRuns));
  // mitata calls parameter 0 before each sample, outside of the time it takes.
  const bench = { 0: turn, bench: (_: unknown) => timed(run, runs) };
  const stats = await measure(
    function* () {
      yield bench as never;
    },
    { gc: false, min_cpu_time: (budget / (beside ? 2 : 1)) * 1e6, min_samples: 5, batch_threshold: 0 },
  );
  const perRun = (ns: number) => ns / 1e6 / runs;
  return { best: perRun(stats.min), median: perRun(stats.p50), beside: bestOf(besideTimes) };
}

/** Measures cases under one setting. Twins do not depend on it, and are timed once. */
export class Bench {
  constructor(
    private readonly subject: string,
    readonly setting: Setting,
    /** Milliseconds for a case, its roof included. */
    readonly budget: number,
    private readonly twinTimes: Map<string, number>,
  ) {}

  async row(c: Case): Promise<Row> {
    const { quick, ...setting } = this.setting;
    const { roof } = c;
    const { best, median, beside } = await sample(c.run, this.budget, quick, roof && (() => roof.run()));
    const twin = c.twin && (await this.twinTime(`${c.name} ${c.shape}`, c.twin));
    const alone = c.alone && (await sample(c.alone, this.budget / 2, quick)).best;
    const work = c.flop ?? c.bytes ?? 0;
    return {
      subject: this.subject,
      name: c.name,
      shape: c.shape,
      ...setting,
      ms: round(best),
      msMedian: round(median),
      ...rates(c, best),
      ...(roof && { ofPeak: round(work / best / (roof.amount / beside)) }),
      ...(alone !== undefined && { overOne: round(alone / best) }),
      ...(twin !== undefined && { speedup: round(twin / best) }),
    };
  }

  private async twinTime(key: string, twin: () => void): Promise<number> {
    let ms = this.twinTimes.get(key);
    if (ms === undefined) {
      ms = (await sample(twin, this.budget / 2, this.setting.quick)).best;
      this.twinTimes.set(key, ms);
    }
    return ms;
  }
}
