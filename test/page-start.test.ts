/** The first lesson: its moments, and the bits of the command. */
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { rowsUntil, START } from '../src/playground/lessons/start/figure.ts';
import { compute } from '../src/playground/lessons/start/job.ts';
import { npmRun } from './dist.ts';
import { checkedSettings, numbersOf, runLive } from './helpers-page.ts';
import { suite } from './suite.ts';

npmRun('build:node');
// A page and a command compute on this backend, whichever the suite runs on.
setBackend('wasm');

const values = { ...checkedSettings(START), seed: 'a b' };

suite('page: start', (test) => {
  test('the rows are moments from the first to the one that is shown', () => {
    assert.equal(rowsUntil(0), [0]);
    assert.equal(rowsUntil(2), [0, 1, 2]);
    assert.equal(rowsUntil(24), [0, 6, 12, 18, 24]);
  });

  test('the pictures have the bits of the command that it shows, whatever was shown on the way', async () => {
    const result = await runLive(compute(START.request(values)), ({ hashes, moments }) => {
      assert.equal(hashes, {});
      for (const { pictures } of moments) pictures.fill(7);
    });
    assert.equal(result, await runJob('start', START.request(values)));
    assert.equal([result.moments[0].step, result.moments.at(-1)!.step, result.steps], [0, 2, 2]);
    assert.ok(result.moments.every(({ pictures }) => pictures.length === 10 * 784));
    const [{ line, numbers }] = START.commands(values);
    const printed = await numbersOf(line, 2);
    for (const [file, key] of Object.entries(numbers)) {
      assert.match(printed[file], /^[0-9a-f]{64}$/, file);
      assert.is(result.hashes[key], printed[file], `${line}: ${file}`);
    }
  });
});
