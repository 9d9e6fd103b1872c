/** Work that yields its progress: it is reported, and signals are heard in between. */
import { setImmediate } from 'node:timers/promises';
import type { PicturesStep } from '../../models/sample.ts';
import { asUsage } from '../options/arguments.ts';
import type { Reporter } from './reporter.ts';

/** Runs work to its end, and calls `report` with all that it yields. @throws UsageError for values that it refuses */
export async function runReported<P, R>(run: Generator<P, R>, report: (progress: P) => void): Promise<R> {
  for (;;) {
    const { done, value } = asUsage(() => run.next());
    if (done) return value;
    report(value);
    await setImmediate(); // Ctrl-C is heard here
  }
}

/** Says how far a sampling is that begins now. Each round of it has its own course. */
export function samplingProgress(reporter: Reporter): (at: PicturesStep) => void {
  let [last, began] = [0, performance.now()];
  return ({ round, drawn, step, steps }) => {
    if (round > last) [last, began] = [round, performance.now()];
    const secondsLeft = ((performance.now() - began) / 1000 / step) * (steps - step);
    const name = round === 0 ? 'sampling' : `drawing ${drawn} again`;
    reporter.event({ type: 'progress', name, step, steps, secondsLeft });
  };
}
