/**
 * `suite(name, define)` declares a test suite: it registers, runs and counts the tests. All test files use it and never
 * call uvu directly, because uvu exits with 0 if a suite forgets `.run()` or a hook throws. The counts go to the runner
 * (`test/run.js`) in the file that `LANGEVIN_TEST_REPORT` names. A process that ends before it reports, or reports no
 * test, has failed.
 */
import { writeFileSync } from 'node:fs';
import { suite as uvuSuite } from 'uvu';

/** Declares one test; its name is a sentence. */
export interface Test {
  (sentence: string, body: () => void | Promise<void>): void;
  /** Declares a test that runs only if `condition` holds, and else counts as skipped. */
  when(condition: boolean, sentence: string, body: () => void | Promise<void>): void;
}

/** `LANGEVIN_BACKEND=reference` runs any test on the float64 backend. Loaded only then: most suites need no kernels. */
if (process.env.LANGEVIN_BACKEND) {
  const { setBackend } = await import('../src/backend/backend.ts');
  setBackend(process.env.LANGEVIN_BACKEND as 'wasm' | 'reference');
}

const report = { passed: 0, failed: 0, skipped: 0, times: [] as [sentence: string, seconds: number][] };

process.on('exit', () => {
  const file = process.env.LANGEVIN_TEST_REPORT;
  if (file) writeFileSync(file, JSON.stringify(report));
});

/** Declares and runs the suite `name`; `define` receives the function that declares its tests. */
export function suite(name: string, define: (test: Test) => void): void {
  const inner = uvuSuite(name);
  const test: Test = (sentence, body) =>
    inner(sentence, async () => {
      report.failed++; // until the body has returned
      const started = performance.now();
      try {
        await body();
      } catch (error) {
        if (!process.env.LANGEVIN_TEST_BAIL) throw error;
        console.log(`${sentence}: ${error}`);
        process.exit(1);
      } finally {
        report.times.push([sentence, (performance.now() - started) / 1000]);
      }
      report.failed--;
      report.passed++;
    });
  test.when = (condition, sentence, body) => {
    if (condition) return test(sentence, body);
    report.skipped++;
    inner.skip(sentence, () => {});
  };
  define(test);
  inner.run();
}
