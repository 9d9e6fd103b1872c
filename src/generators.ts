/** Work that yields its progress, done at once. */

/** Runs a generator to its end, whatever it yields. @returns its result */
export function runToEnd<R>(run: Generator<unknown, R>): R {
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}
