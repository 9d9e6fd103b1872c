/**
 * The method of all benchmarks.
 *
 * The machine is shared, and its speed changes all the time. So the work is divided into slices. A slice takes about a
 * millisecond, or one run if a run takes longer. The roof is the multiply-add peak or a plain copy. Slices of the roof
 * and slices of the work take turns, so both have the same conditions. The result is the time of the best slice. If
 * there are more than twelve slices, the two fastest do not count. Other programs can only add time, so the best of
 * many slices is the time of the work itself. The ratio of work to roof changes less than either time.
 *
 * Operands are warm: they are in the caches after the run before, as in a training step. Before the measurement the
 * work runs until the engine has compiled it completely. The statistics are from the package mitata.
 */
import { measure } from 'mitata';
import { runsFor, timed } from '../src/models/benchmark/timing.ts';
import type { Workload } from '../src/models/benchmark/work.ts';
import { type Row, rates, round } from './row.ts';
import type { Setting } from './setting.ts';

/** One piece of work to measure. */
export interface Case extends Workload {
  /** The same work in plain TypeScript. */
  readonly twin?: () => void;
  /**
   * The same work on the calling thread alone. It does not take turns with `run`, because idle threads would go to
   * sleep.
   */
  readonly alone?: () => void;
  /**
   * For work whose operands are not `Operands`: runs the work and its twin, and returns the difference of their
   * results.
   */
  readonly difference?: () => number;
  /** More rows, computed from the measured time in ms: the parts of a program. */
  readonly parts?: (row: Row) => Row[];
}

export interface Sampled {
  /** Milliseconds of one run. */
  readonly best: number;
  readonly median: number;
  /** The best time of a run of `beside`; NaN without it. */
  readonly beside: number;
}

/** Milliseconds of a slice, and of the warm-up of a case. */
const SLICE = 1;
const WARM_UP = { quick: 5, full: 25 };
/** A run of at most this many milliseconds is always measured in several slices. */
const LONG = { quick: 10, full: 50 };
/** As in mitata: of more than twelve samples, the two fastest do not count. */
const FEW = 12;

/** The best time, for work and for roof. NaN without times. */
function bestOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length > FEW ? 2 : 0] ?? Number.NaN;
}

/**
 * Measures slices of `run` for about `budget` milliseconds, at least five slices. Slices of `beside` take turns with
 * them. If a run takes longer than the whole budget, it is timed once, after one run for the compiler. A quick
 * measurement has no such run before.
 */
export async function sample(
  run: () => void,
  budget: number,
  quick: boolean,
  beside?: () => void,
): Promise<Sampled> {
  const warmUp = quick ? WARM_UP.quick : WARM_UP.full;
  const long = Math.max(budget, quick ? LONG.quick : LONG.full);
  const first = timed(run);
  if (first > long) {
    const once = quick ? first : timed(run);
    if (once > long) return { best: once, median: once, beside: beside ? timed(beside) : Number.NaN };
  }
  const runs = runsFor(SLICE, run, warmUp);
  const besideTimes: number[] = [];
  const besideRuns = beside ? runsFor(timed(run, runs), beside, warmUp) : 0;
  const turn = () => void (beside && besideTimes.push(timed(beside, besideRuns) / besideRuns));
  // mitata calls parameter 0 before each sample, and does not count its time.
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

/** Measures cases under one setting. Twins do not depend on the setting and are timed once. */
export class Bench {
  constructor(
    private readonly subject: string,
    readonly setting: Setting,
    /** Milliseconds for a case, including its roof. */
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
