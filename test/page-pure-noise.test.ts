/** The lesson on pure noise: its numbers, its moments, and the bits of the command. */
import * as assert from 'uvu/assert';
import { setBackend } from '../src/backend/backend.ts';
import { strokeDigits } from '../src/data/strokes.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { Timeline } from '../src/playground/engine/timeline.ts';
import { PURE_NOISE } from '../src/playground/lessons/pure-noise/figure.ts';
import { compute, distanceFrom, meanOf, spreadOf } from '../src/playground/lessons/pure-noise/job.ts';
import { npmRun } from './dist.ts';
import { checkedSettings, numbersOf, runLive } from './helpers-page.ts';
import { suite } from './suite.ts';

npmRun('build:node');
// A page and a command compute on this backend, whichever the suite runs on.
setBackend('wasm');

const values = { ...checkedSettings(PURE_NOISE), seed: 'a b' };

suite('page: pure noise', (test) => {
  test('mean, spread and distance of pictures are those of the formulas', () => {
    // Three pictures of two pixels: means 3 and 0, variances (4+0+4)/2 = 4 and 0.
    const pixels = [1, 0, 3, 0, 5, 0];
    assert.equal([...meanOf(pixels, 2)], [3, 0]);
    assert.ok(Math.abs(spreadOf(pixels, 2) - Math.sqrt((4 + 0) / 2)) < 1e-15);
    const distance = distanceFrom(Float64Array.of(0, 1), pixels);
    assert.ok(Math.abs(distance - Math.sqrt((1 + 9 + 25 + 3) / 6)) < 1e-15);
  });

  test('the timeline of a run keeps few moments, evenly spread, and the newest', () => {
    let step = 0;
    const timeline = new Timeline(4, () => ({ step }));
    for (; step <= 37; step++) {
      timeline.look(step);
      const steps = timeline.until(step).map((moment) => moment.step);
      assert.ok(steps.length <= 5, `${steps}`);
      assert.is(steps.at(-1), step);
      const gaps = steps.slice(1, -1).map((at, i) => at - steps[i]);
      assert.ok(new Set(gaps).size <= 1 && steps[0] === 0, `${steps}`);
    }
  });

  test('every figure has the bits of the command that it shows, whatever was shown on the way', async () => {
    const result = await runLive(compute(PURE_NOISE.request(values)), ({ hashes, moments, noise, mean }) => {
      assert.equal(hashes, {});
      for (const { answers } of moments) for (const bytes of answers) bytes.fill(7);
      noise.fill(7);
      mean.fill(7);
    });
    assert.equal(result, await runJob('pure-noise', PURE_NOISE.request(values)));
    const [{ line, numbers }] = PURE_NOISE.commands(values);
    const printed = await numbersOf(line, 2);
    for (const [file, key] of Object.entries(numbers)) {
      assert.match(printed[file], /^[0-9a-f]{64}$/, file);
      assert.is(result.hashes[key], printed[file], `${line}: ${file}`);
    }
  });

  test('what the figure compares with is the mean of the digits that it trains on', async () => {
    const { mean, dataSpread, moments, steps } = await runJob('pure-noise', PURE_NOISE.request(values));
    const { images } = strokeDigits('strokes/train', 128);
    const shares = Float64Array.from(images, (byte) => byte / 255);
    assert.equal(mean, meanOf(shares, 784));
    // The two measures of the digits agree: their distance from their mean is their spread, but for n - 1.
    assert.ok(Math.abs(distanceFrom(mean, shares) - dataSpread * Math.sqrt(127 / 128)) < 1e-12);
    assert.equal([moments[0].step, moments.at(-1)!.step, steps], [0, 2, 2]);
    assert.ok(moments.every(({ answers, spread }) => answers.length === 5 && spread.length === 5));
  });
});
