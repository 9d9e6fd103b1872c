/** The lesson on kernels: what it measures has the right structure and bounds. Times are not checked. */
import * as assert from 'uvu/assert';
import { backend, setBackend } from '../src/backend/backend.ts';
import { hasRelaxedSimd } from '../src/backend/instance.ts';
import { ValueError } from '../src/errors.ts';
import { measureRounds, ROUND_SLICE, spreadOf } from '../src/models/benchmark/rounds.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { KERNELS } from '../src/playground/lessons/kernels/figure.ts';
import type { KernelsSettings } from '../src/playground/lessons/kernels/job.ts';
import { drawKernels, settingOf } from '../src/playground/lessons/kernels/picture.ts';
import { readResults, readResultsFile, resultsText } from '../src/playground/lessons/kernels/results.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

// The page computes on this backend, whichever the suite runs on.
setBackend('wasm');

suite('page: kernels', (test) => {
  test('the spread of a sample is its quartiles', () => {
    assert.equal(spreadOf([5, 1, 4, 2, 3]), { low: 2, median: 3, high: 4 });
    assert.equal(spreadOf([1, 2]), { low: 1.25, median: 1.5, high: 1.75 });
    assert.equal(spreadOf([7]), { low: 7, median: 7, high: 7 });
  });

  test('work and roof take turns in slices of at least ten milliseconds, and equal work is at its roof', () => {
    const calls: string[] = [];
    const busy = (name: string) => () => {
      calls.push(name);
      const end = performance.now() + 4;
      while (performance.now() < end);
    };
    const roof = { amount: 8, run: busy('roof') };
    const run = measureRounds({ name: 'x', shape: '1', run: busy('work') }, roof, 4, 3);
    const turns: string[] = [];
    for (;;) {
      calls.length = 0;
      const { done, value } = run.next();
      if (done) {
        // The same time for half of the amount. Other programs can only change the ends.
        assert.ok(value.ofRoof.low <= value.ofRoof.median && value.ofRoof.median <= value.ofRoof.high);
        assert.ok(Math.abs(value.ofRoof.median - 0.5) < 0.4, `${value.ofRoof.median}`);
        assert.ok(value.ms.median >= 4);
        break;
      }
      // What comes before the first round is the warm-up.
      turns.push(calls.join(' '));
    }
    assert.is(turns.length, 3);
    for (const turn of turns.slice(1)) assert.match(turn, /^roof( roof)* work( work)*$/);
    assert.ok((2 / 3) * ROUND_SLICE >= 10);
  });

  test('every work is measured under each setting, within bounds, and the engine is set back', async () => {
    const before = [backend().threads, backend().numerics];
    const settings = { ...KERNELS.initial, ...KERNELS.short, rounds: 2 } as unknown as KernelsSettings;
    const result = await runJob('kernels', settings);
    assert.equal([backend().threads, backend().numerics], before);
    const { rows, planned } = result;
    assert.is(rows.length, planned);
    const settingsSeen = [...new Set(rows.map(settingOf))];
    const builds = hasRelaxedSimd() ? ['strict', 'relaxed'] : ['strict'];
    assert.equal(
      settingsSeen,
      builds.map((build) => `${build}, one thread`),
    );
    assert.is(KERNELS.frames(result), builds.length);
    const works = planned / builds.length;
    assert.is(new Set(rows.map(({ name, shape }) => `${name} ${shape}`)).size, works);
    for (const { name, ms, ofRoof, roof, flop, unit, bytes } of rows) {
      for (const { low, median, high } of [ms, ofRoof, roof])
        assert.ok(0 < low && low <= median && median <= high && high < Infinity, name);
      assert.ok(bytes > 0);
      if (unit === 'flop') assert.ok(flop! > bytes, `${name} is limited by the peak`);
      // A busy machine moves a share a lot. A wrong unit moves it by a factor of a thousand.
      assert.ok(ofRoof.median > 1e-3 && ofRoof.median < 100, `${name}: ${ofRoof.median}`);
    }
    for (const kind of [/gemm/, /conv/, /add|silu/, /gaussian/])
      assert.ok(rows.some(({ name }) => kind.test(name)));

    const read = readResults(resultsText(result), 'a.json');
    assert.equal(read.rows, rows);
    for (const width of [328, 656]) {
      const alone = drawKernels(result, settingsSeen[0], null, width);
      const both = drawKernels(result, settingsSeen[0], read, width);
      assert.not.match(alone + both, /NaN|undefined|Infinity/);
      const bars = (svg: string) => svg.split('class="kernel-bar').length - 1;
      assert.equal([bars(alone), bars(both)], [works, 2 * works]);
    }
  });

  test('a file that is no result is refused in one line', () => {
    const read = (text: string) => () => readResults(text, 'a.json');
    const spread = { low: 1, median: 2, high: 3 };
    const own = { name: 'add', shape: '1', threads: 1, numerics: 'strict', unit: 'byte' };
    const row = { ...own, flop: null, bytes: 8, numbers: null, ms: spread, ofRoof: spread, roof: spread };
    const kind = 'langevin kernels';
    const environment = { engine: 'x', processors: 2, isolated: true, date: '2026-01-01T00:00Z' };
    refused(
      read('{'),
      ValueError,
      /^a\.json: expected a JSON file that this page has saved, got a file that is no JSON$/,
    );
    refused(read('null'), ValueError, /with "kind": "langevin kernels", got none$/);
    refused(read('{"kind":"x"}'), ValueError, /got "x"$/);
    refused(read(JSON.stringify({ kind, rows: [row] })), ValueError, /got one without its environment$/);
    refused(read(JSON.stringify({ kind, environment, rows: [] })), ValueError, /got one without rows$/);
    const file = (rows: readonly object[]) => read(JSON.stringify({ kind, environment, rows }));
    assert.is(file([row])().rows.length, 1);
    for (const wrong of [
      { roof: { ...spread, low: 'x' } },
      { ms: { ...spread, low: 5 } },
      { name: 'x'.repeat(201) },
      { threads: -1 },
      { unit: 'apples' },
      { unit: 'flop' },
      { bytes: 'many' },
      { numbers: -3 },
    ]) {
      refused(file([row, { ...row, ...wrong }]), ValueError, /row 2 is not a measurement$/);
    }
  });

  test('a file that is too large is not read', async () => {
    const large = new File([new Uint8Array(1_000_001)], 'large.json');
    const error = await readResultsFile(large).catch((error: Error) => error);
    assert.ok(error instanceof ValueError);
    assert.is(error.message, 'large.json: expected at most 1000000 bytes, got 1000001');
  });
});
