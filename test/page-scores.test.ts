/** The lesson on scores in the plane: its job has the numbers of `langevin toy`, and its exact score is exact. */
import * as assert from 'uvu/assert';
import { createSchedule } from '../src/diffusion/discrete-schedule.ts';
import { ValueError } from '../src/errors.ts';
import { numbersHash } from '../src/models/figures/numbers-hash.ts';
import { gridPlaces, toyFigures } from '../src/models/toy/figures.ts';
import { TOY_STEPS } from '../src/models/toy/toy.ts';
import { TOY_REACH } from '../src/models/toy/view.ts';
import { trainToy } from '../src/models/training/toy.ts';
import { runJob } from '../src/playground/engine/jobs.ts';
import { SCORES } from '../src/playground/lessons/scores/figure.ts';
import { planeOf, type ScoresSettings } from '../src/playground/lessons/scores/job.ts';
import { ARROWS, CHOSEN, FLOWS, MOST_POINTS, PAD_SIDE } from '../src/playground/lessons/scores/names.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const SHORT = { ...SCORES.initial, ...SCORES.short, seed: 'page scores' } as unknown as ScoresSettings;
/** One point, right of and above the middle. */
const ONE = { ...SHORT, set: CHOSEN, points: [191, 63], trainSteps: 2 };
const [X, Y] = [(191.5 / PAD_SIDE - 0.5) * 2 * TOY_REACH, (0.5 - 63.5 / PAD_SIDE) * 2 * TOY_REACH];

suite('page: scores in the plane', (test) => {
  test('the hashes are those of the figures of the command, for each sampler', async () => {
    const { hashes } = await runJob('scores', SHORT);
    const { set, trainSteps, batchSize, lr, seed } = SHORT;
    const training = trainToy(set as 'eight', { steps: trainSteps, batchSize, lr, seed });
    let next = training.next();
    while (!next.done) next = training.next();
    const expected: Record<string, string> = {};
    for (const { sampler } of FLOWS) {
      const figures = toyFigures(next.value, set as 'eight', { sampler, steps: SHORT.steps, seed });
      expected[`${sampler} learned`] = await numbersHash(figures.learned);
      expected[`${sampler} exact`] = await numbersHash(figures.exact);
      for (const score of figures.scores) expected[`score at t = ${score.share}`] = await numbersHash(score);
    }
    next.value.network.dispose();
    assert.equal(hashes, expected);
    const shown = SCORES.commands(SHORT as never).flatMap(({ numbers }) => Object.values(numbers));
    assert.equal([...new Set(shown)].sort(), Object.keys(expected).sort());
  });

  test('around one chosen point the exact score is that of a Gaussian, and the samples go there', async () => {
    const { scores, flows, sigmas, times } = await runJob('scores', ONE);
    const variance = planeOf(ONE).mixture.variances[0]![0]!;
    const schedule = createSchedule('cosine', TOY_STEPS);
    const places = gridPlaces(ARROWS);
    for (const [frame, sigma] of sigmas.entries()) {
      if (sigma === 0) continue;
      const t = schedule.tMin + times[frame]! * (schedule.tMax - schedule.tMin);
      const { alpha } = schedule.level(Math.round(t));
      for (const [i, [x, y]] of places.entries()) {
        const at = 2 * (frame * places.length + i);
        const v = alpha * alpha * variance + sigma * sigma;
        for (const [found, expected] of [
          [scores.exact[at]!, (alpha * X - x) / v],
          [scores.exact[at + 1]!, (alpha * Y - y) / v],
        ] as const)
          assert.ok(Math.abs(found - expected) < 1e-4 * (1 + Math.abs(expected)), `${found} ${expected}`);
      }
    }
    for (const { id } of FLOWS) {
      const { exact, learned } = flows![id];
      const n = exact.length / times.length;
      assert.equal(exact.slice(0, n), flows!.ode.learned.slice(0, n), 'all start from the same noise');
      assert.equal(exact.slice(0, n), learned.slice(0, n));
      const end = exact.slice(-n);
      for (const [axis, centre] of [X, Y].entries()) {
        const mean = end.filter((_, i) => i % 2 === axis).reduce((sum, value) => sum + value, 0) / (n / 2);
        // Samples of deviation 0.1 at most, so that the mean of 250 is within 0.03 with 5 deviations.
        assert.ok(Math.abs(mean - centre) < 0.032, `${id}: ${mean} is not near ${centre}`);
      }
    }
  });

  test('a wrong choice of points is refused in one line', () => {
    const points = (given: number[]) => () => planeOf({ set: CHOSEN, points: given });
    refused(points([]), ValueError, /expected at least one\. Click into the square/);
    refused(points([1]), ValueError, /expected pairs of numbers below 256, got 1$/);
    refused(points([1, 256]), ValueError, /expected pairs of numbers below 256, got 1,256/);
    refused(points(new Array(2 * MOST_POINTS + 2).fill(1)), ValueError, /at most 200, got 201/);
  });
});
