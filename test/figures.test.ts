/** Figures: numbers that are a function of the settings, and hashes that identify a figure. */
import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { setThreads } from '../src/backend/backend.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { LangevinError, ValueError } from '../src/errors.ts';
import { denoisedFigure, pureNoiseFigure } from '../src/models/figures/denoiser.ts';
import { noisingFigure } from '../src/models/figures/noising.ts';
import { numbersHash } from '../src/models/figures/numbers-hash.ts';
import { SHOWN_SCHEDULES, schedulesFigures } from '../src/models/figures/schedules.ts';
import { LectureNetwork } from '../src/models/lecture/lecture.ts';
import { sampledFigure, seenFigure } from '../src/models/lecture/pictures.ts';
import { Denoiser } from '../src/models/networks/denoiser.ts';
import { defaultsOf } from '../src/models/setting.ts';
import { NOISE_TABLE, SCHEDULES_TABLE, SDE_TABLE, TOY_TABLE } from '../src/models/settings.ts';
import { toyFigures } from '../src/models/toy/figures.ts';
import { TOY_ARROWS } from '../src/models/toy/view.ts';
import { trainToy } from '../src/models/training/toy.ts';
import { Rng } from '../src/random/rng.ts';
import { endFigure, pathsFigure, simulate } from '../src/sde/figures.ts';
import { claimsOf, measureOrders, ordersFigures } from '../src/sde/orders.ts';
import { milstein } from '../src/sde/solvers/index.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

const PATHS_SETTINGS = defaultsOf(SDE_TABLE);
const NOISING_SETTINGS = defaultsOf(NOISE_TABLE);
const SCHEDULES_SETTINGS = defaultsOf(SCHEDULES_TABLE);
const TOY_SETTINGS = defaultsOf(TOY_TABLE);

/** A small figure of every kind, by its name, computed from one seed. */
async function figuresOf(seed: string): Promise<Record<string, object>> {
  const simulation = simulate({
    ...PATHS_SETTINGS,
    process: 'gbm',
    paths: 60,
    steps: 20,
    twin: true,
    seed,
  });
  const { test } = await loadStrokes({ train: 1, test: 40 });
  const pixels = test.height * test.width;
  const denoiser = new Denoiser({ inputs: pixels, rng: new Rng('model') });
  const lecture = new LectureNetwork(pixels, 20, new Rng('model'));
  const training = trainToy('eight', { steps: 5, seed });
  let next = training.next();
  while (!next.done) next = training.next();
  const toy = toyFigures(next.value, 'eight', {
    ...TOY_SETTINGS,
    points: 100,
    steps: 4,
    seed,
  });
  next.value.network.dispose();
  const noise = { noise: 0.5, seed };
  try {
    return {
      paths: pathsFigure(simulation),
      end: endFigure(simulation)!,
      orders: ordersFigures([...measureOrders(claimsOf([milstein]), { paths: 200, seed })]).get(
        'strong-diagonal',
      )!,
      noising: noisingFigure(test, { ...NOISING_SETTINGS, steps: 48, seed }),
      denoised: denoisedFigure(denoiser, test, noise),
      'pure noise': pureNoiseFigure(denoiser, test, noise, 2),
      seen: seenFigure(lecture, test, seed),
      sampled: sampledFigure(lecture, test, seed),
      learned: toy.learned,
      exact: toy.exact,
      score: toy.scores[0],
    };
  } finally {
    denoiser.dispose();
    lecture.dispose();
  }
}

async function hashesOf(seed: string, threads: number): Promise<Record<string, string>> {
  setThreads(threads);
  const figures = Object.entries(await figuresOf(seed));
  return Object.fromEntries(
    await Promise.all(figures.map(async ([name, figure]) => [name, await numbersHash(figure)] as const)),
  );
}

suite('figures', (test) => {
  test('the hash is that of names, shapes and numbers in the documented encoding', async () => {
    const bytes = Buffer.concat([
      Buffer.from('r\x02\0\0\0'),
      Buffer.from('t\x01\0\0\0at\x02\0\0\0é'),
      Buffer.from('t\x01\0\0\0xl\x02\0\0\0n\x02\0\0\0'),
      Buffer.from(Float64Array.of(1.5, -0).buffer),
      Buffer.from('f'),
      Buffer.from(Float64Array.of(2).buffer),
    ]);
    const expected = createHash('sha256').update(bytes).digest('hex');
    assert.is(await numbersHash({ x: [Float32Array.of(1.5, -0), 2], a: 'é', left: undefined }), expected);
  });

  test('every change of a figure changes its hash, and the order of its fields does not', async () => {
    const figures: object[] = [
      { x: [1, 2], y: [3] },
      { x: [1], y: [2, 3] },
      { x: [1, 2], z: [3] },
      { x: [1, 2], y: 3 },
      { x: [1, 2], y: [[3]] },
      { x: [1, 2], y: [3 + 2 ** -50] },
      { x: [1, 2], y: [3], z: null },
      { x: [1, 2], y: '3' },
      { x: [0, 2], y: [3] },
      { x: [-0, 2], y: [3] },
      { x: [Number.NaN, 2], y: [3] },
    ];
    const hashes = await Promise.all(figures.map(numbersHash));
    assert.is(new Set(hashes).size, figures.length);
    assert.is(await numbersHash({ y: Float64Array.of(3), x: Float32Array.of(1, 2) }), hashes[0]);
    refused(() => numbersHash({ draw: () => 1 }), LangevinError, /^internal: .*got a function/);
  });

  test('the same seed gives the same hash on any number of threads, and another seed another hash', async () => {
    const [one, two, other] = [await hashesOf('a', 1), await hashesOf('a', 2), await hashesOf('b', 2)];
    assert.equal(two, one);
    for (const [name, hash] of Object.entries(one)) assert.is.not(other[name], hash, name);
  });

  test('the paths of a figure are the first solved paths, with their exact law', () => {
    const settings = { ...PATHS_SETTINGS, process: 'ou', paths: 100, steps: 50, seed: 'paths' };
    const simulation = simulate(settings, true);
    const figure = pathsFigure(simulation);
    assert.equal([figure.paths.length, figure.times.length, figure.twin], [30, 51, null]);
    for (const path of [0, 7, 29]) {
      for (const k of [0, 1, 50]) assert.is(figure.paths[path][k], simulation.states![k * 100 + path]);
    }
    const { process, start } = simulation.equation;
    const law = process!.law!(start[0], 0, figure.law!.times[120]);
    assert.is(figure.law!.mean[120], law.mean);
    const deviation = Math.sqrt(law.variance!);
    assert.ok(Math.abs(figure.law!.band!.upper[120] - law.mean - 2 * deviation) < 1e-6 * deviation);
    const { histogram, density, paths } = endFigure(simulation)!;
    const { edges } = histogram;
    assert.equal([density!.x[0], density!.x.at(-1)], [edges[0], edges.at(-1)], 'the curve spans the bins');
    assert.ok(Math.abs(density!.x[100] - (edges[0] + edges.at(-1)!) / 2) < 1e-9, 'its points are even');
    assert.equal([paths, density!.kind], [100, 'exact']);
    const area = histogram.heights.reduce(
      (sum, h, i) => sum + h * (histogram.edges[i + 1] - histogram.edges[i]),
      0,
    );
    assert.ok(Math.abs(area - 1) < 1e-9, `${area}`);
    assert.is(density!.y[50], process!.law!(start[0], 0, 5).density!(density!.x[50]));
  });

  test('settings of paths that do not fit are refused', () => {
    const settings = { ...PATHS_SETTINGS, process: 've' };
    refused(() => simulate({ ...settings, time: 2 }), ValueError, /time: expected at most 1 for ve, got 2/);
    const both = { process: 've', drift: 'x', diffusion: '1' };
    refused(() => simulate({ ...settings, ...both }), ValueError, /expected either a process or both/);
    refused(() => simulate({ ...settings, process: undefined, drift: 'x' }), ValueError, /expected either/);
    refused(() => simulate({ ...settings, solver: 'miltein' }), ValueError, /Did you mean "milstein"/);
  });

  test('each schedule is shown once, from data to almost pure noise, and a rescaled one ends at pure noise', () => {
    const schedule = [...SHOWN_SCHEDULES, 'linear'] as const;
    const { alphaBar, snr } = schedulesFigures({ ...SCHEDULES_SETTINGS, schedule, zeroSnr: true });
    assert.is(alphaBar.curves.length, SHOWN_SCHEDULES.length + 5);
    for (const [i, { name, zeroSnr, times, values }] of alphaBar.curves.entries()) {
      assert.is(times[times.length - 1], 1, name);
      assert.ok(values[0] > 0.9 && values[values.length - 1] < 0.1, name);
      if (zeroSnr) assert.is(values[values.length - 1], 0, name);
      const ratio = snr.curves[i].values[40];
      assert.ok(Math.abs(values[40] - ratio / (1 + ratio)) < 1e-12, name);
    }
    const wrong = ['cosin' as 'cosine'];
    refused(() => schedulesFigures({ ...SCHEDULES_SETTINGS, schedule: wrong }), ValueError, /mean "cosine"/);
  });

  test('noised pictures start as the originals and end with the variance of pure noise', async () => {
    const { test: digits } = await loadStrokes({ train: 1, test: 3 });
    const { height, width, times, courses } = noisingFigure(digits, {
      ...NOISING_SETTINGS,
      process: 'all',
      pictures: 5,
    });
    assert.equal([height, width, times.length], [digits.height, digits.width, 49]);
    assert.equal(
      courses.map(({ process, picture }) => `${process} ${picture}`),
      ['brownian', 'vp', 've'].flatMap((name) => [0, 1, 2].map((i) => `${name} ${i}`)),
    );
    for (const { process, picture, frames } of courses) {
      const pixels = digits.images.subarray(picture * height * width, (picture + 1) * height * width);
      for (let i = 0; i < pixels.length; i += 37) assert.ok(Math.abs(frames[0][i] - pixels[i] / 255) < 1e-6);
      const end = frames[48].map((v) => 2 * v - 1);
      const variance = end.reduce((sum, v) => sum + v * v, 0) / end.length;
      assert.ok(Math.abs(variance - 1) < 0.2, `${process}: ${variance}`);
    }
  });

  test('both scores of a toy are at the centres of a grid', () => {
    const run = trainToy('moons', { steps: 3, seed: 'grid' });
    let next = run.next();
    while (!next.done) next = run.next();
    const { scores, learned, exact } = toyFigures(next.value, 'moons', {
      ...TOY_SETTINGS,
      points: 50,
      steps: 3,
    });
    next.value.network.dispose();
    assert.equal(learned.data, exact.data);
    assert.equal([learned.samples.x.length, scores.length], [50, 4]);
    for (const { places, learned: u, exact: v, noised } of scores) {
      for (const { x, y } of [places, u, v])
        assert.equal([x.length, y.length], Array(2).fill(TOY_ARROWS ** 2));
      assert.is(noised.x.length, 50);
      const middle = (TOY_ARROWS ** 2 - 1) / 2;
      assert.ok(Math.abs(places.x[middle]) + Math.abs(places.y[middle]) < 1e-9);
    }
  });
});
