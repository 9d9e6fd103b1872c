/** Runs a generator and reports the progress that it yields. Signals are handled between two steps. */
import { setImmediate } from 'node:timers/promises';
import type { PicturesStep } from '../../models/sample.ts';
import { asUsage } from '../options/arguments.ts';
import type { Reporter } from './reporter.ts';

/**
 * Runs a generator to its end, and calls `report` with every value that it yields.
 * @returns the return value of the generator
 * @throws UsageError for a ValueError of the generator
 */
export async function runReported<P, R>(run: Generator<P, R>, report: (progress: P) => void): Promise<R> {
  for (;;) {
    const { done, value } = asUsage(() => run.next());
    if (done) return value;
    report(value);
    await setImmediate(); // Ctrl-C is handled here
  }
}

/** A function that reports the progress of a sampling. Each round of sampling has its own count and time. */
export function samplingProgress(reporter: Reporter): (at: PicturesStep) => void {
  let [last, began] = [0, performance.now()];
  return ({ round, drawn, step, steps }) => {
    if (round > last) [last, began] = [round, performance.now()];
    const secondsLeft = ((performance.now() - began) / 1000 / step) * (steps - step);
    const name = round === 0 ? 'sampling' : `drawing ${drawn} again`;
    reporter.event({ type: 'progress', name, step, steps, secondsLeft });
  };
}
