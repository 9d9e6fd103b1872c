/** Runs work that reports its progress, without the reports. */

/** Runs a generator to its end and ignores what it yields. @returns its result */
export function runToEnd<R>(run: Generator<unknown, R>): R {
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}
