/** The lesson on the lecture's five-step model: the bits of the command, and what its text says of the numbers. */
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { FIVE_STEPS } from '../src/playground/lessons/five-steps/figure.ts';
import { compute, type FiveStepsResult, powerOf } from '../src/playground/lessons/five-steps/job.ts';
import { npmRun } from './dist.ts';
import { checkedSettings, numbersOf, runLive } from './helpers-page.ts';
import { suite } from './suite.ts';

npmRun('build:node');
// A page and a command compute on this backend, whichever the suite runs on.
setBackend('wasm');

const values = { ...checkedSettings(FIVE_STEPS), seed: 'a b' };

suite('page: the five-step model', (test) => {
  /** The run of the first test. */
  let result: FiveStepsResult;

  test('every figure has the bits of the command that it shows, whatever was shown on the way', async () => {
    result = await runLive(compute(FIVE_STEPS.request(values)), (progress) => {
      const { hashes, learned, moments, digits, seen, noise, loss } = progress;
      assert.equal([hashes, learned], [{}, null]);
      for (const { predicted, states } of moments) for (const bytes of [predicted, ...states]) bytes.fill(7);
      for (const array of [digits, seen, noise, loss.mean, loss.training.y]) array.fill(7);
    });
    assert.equal(result, await runJob('five-steps', FIVE_STEPS.request(values)));
    const [{ line, numbers }] = FIVE_STEPS.commands(values);
    const printed = await numbersOf(line, 2);
    for (const [file, key] of Object.entries(numbers)) {
      assert.match(printed[file], /^[0-9a-f]{64}$/, file);
      assert.is(result.hashes[key], printed[file], `${line}: ${file}`);
    }
  });

  test('the losses of its text are those of the analysis, and the analysis is the same before and after the run', () => {
    const { theory, learned, moments, loss } = result;
    assert.is(theory.zero, (4 * 1.25) / 0.25 ** 2);
    assert.ok(Math.abs(theory.width - 80 * (1 - 400 / 784)) < 1e-12);
    assert.ok(theory.linear < 2 && theory.byHeart < 2, JSON.stringify(theory));
    const { zero, width, linear, byHeart, times, measured } = learned!;
    assert.equal({ zero, width, linear, byHeart }, theory);
    assert.equal(
      times.map(({ time, variance }) => [time, variance]),
      [0.75, 0.5, 0.25, 0].map((time) => [time, 1.25]),
    );
    assert.ok(width < measured && measured < zero + 1, `${measured}`);
    assert.is(loss.test.y.at(-1), measured);
    // Two steps do not change pure noise much: its variance is 1.
    assert.equal([moments[0].step, moments.at(-1)!.step], [0, 2]);
    assert.ok(moments.every(({ power }) => power.length === 5 && Math.abs(power[0] - 1) < 0.05));
    assert.is(powerOf([1, 2, 2]), 3);
  });
});
