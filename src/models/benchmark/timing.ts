/** Runs work for a slice of time. */

/** The time of `times` runs, in milliseconds. */
export function timed(run: () => void, times = 1): number {
  const start = performance.now();
  for (let i = 0; i < times; i++) run();
  return performance.now() - start;
}

/** The number of runs in `slice` milliseconds. To measure it, the work runs for at least `warmUp` milliseconds. */
export function runsFor(slice: number, run: () => void, warmUp: number): number {
  const start = performance.now();
  for (let runs = 1; ; ) {
    const ms = timed(run, runs);
    if (ms < slice / 2) runs *= 2;
    else if (performance.now() - start >= warmUp) return Math.max(1, Math.round((runs * slice) / ms));
  }
}
