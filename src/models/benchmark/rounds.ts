/**
 * Work measured for a page, whose timer is coarse. In each round a slice of the roof and a slice of the work follow one
 * another, so that both see the same conditions. A slice takes at least 10 milliseconds. The median over the rounds is
 * the result, and its quartiles are the spread.
 */
import { runsFor, timed } from './timing.ts';
import type { Roof, Workload } from './work.ts';

/**
 * Milliseconds of a slice, which is a whole number of runs. The number of runs is rounded, so that a slice takes at
 * least two thirds of this time.
 */
export const ROUND_SLICE = 16;
/** Milliseconds before the measurement in which the engine compiles. */
const WARM_UP = 30;

/** The median and the quartiles of some values. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** The values below which a quarter, a half and three quarters of the sample are, with linear interpolation. */
export function spreadOf(sample: readonly number[]): Spread {
  const sorted = sample.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const i = Math.floor(place);
    return sorted[i] + (place - i) * ((sorted[i + 1] ?? sorted[i]) - sorted[i]);
  };
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

export interface Rounds {
  /** Milliseconds of one run. */
  readonly ms: Spread;
  /** The rate of the work divided by the rate of the roof in the same round. */
  readonly ofRoof: Spread;
  /** The roof in 10^9 flop or bytes per second. */
  readonly roof: Spread;
}

/**
 * Measures work beside its roof, and yields after each round.
 * @param amount the amount of work in one run, in the unit of the roof
 */
export function* measureRounds(
  work: Workload,
  roof: Roof,
  amount: number,
  rounds: number,
): Generator<number, Rounds, undefined> {
  const runRoof = () => roof.run();
  const runs = runsFor(ROUND_SLICE, work.run, WARM_UP);
  const roofRuns = runsFor(ROUND_SLICE, runRoof, WARM_UP);
  const [times, shares, roofs]: number[][] = [[], [], []];
  for (let round = 1; round <= rounds; round++) {
    const roofRate = roof.amount / (timed(runRoof, roofRuns) / roofRuns);
    const ms = timed(work.run, runs) / runs;
    times.push(ms);
    shares.push(amount / ms / roofRate);
    roofs.push(roofRate / 1e6);
    yield round;
  }
  return { ms: spreadOf(times), ofRoof: spreadOf(shares), roof: spreadOf(roofs) };
}
