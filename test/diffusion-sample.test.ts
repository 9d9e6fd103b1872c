import * as assert from 'uvu/assert';
import { backend } from '../src/backend/backend.ts';
import { SAMPLERS } from '../src/diffusion/samplers/index.ts';
import { ValueError } from '../src/errors.ts';
import { growingSamples } from '../src/models/figures/samples.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import { DiffusionPipeline } from '../src/models/pipeline.ts';
import { labelsInTurn, sampleDiffusion, samplePictures } from '../src/models/sample.ts';
import { Rng } from '../src/random/rng.ts';
import { full } from '../src/tensor/create.ts';
import { close, refused } from './helpers.ts';
import { suite } from './suite.ts';

const PROCESS = { schedule: 'cosine', steps: 40, predicts: 'x0' } as const;
const TINY = { height: 2, width: 3, hidden: 8, inner: 8, depth: 1, condition: 4 };

/** A model that predicts a picture of the grey k/10 for label k, and 1/2 without a label. */
function greys(classes = 10): DiffusionPipeline {
  const model = new DiffusionPipeline(new DiffusionMlp({ ...TINY, classes, rng: new Rng(0) }), PROCESS);
  model.predict = (x, _t, labels) =>
    full([labels.length, 1, 1, 1], 1)
      .set(labels.map((label) => (label === null ? 0 : Number(label) / 5 - 1)))
      .broadcastTo(x.shape);
  return model;
}

const means = (pictures: Float64Array): number[] =>
  Array.from(
    { length: pictures.length / 6 },
    (_, i) => pictures.subarray(6 * i, 6 * i + 6).reduce((a, b) => a + b) / 6,
  );

suite('diffusion: pictures', (test) => {
  test('with a model that is certain of each label, every sampler gives the pictures of the labels', () => {
    const model = greys();
    for (const sampler of SAMPLERS) {
      if (sampler === 'ddim-inversion') continue;
      const pictures = samplePictures(model, { labels: [0, 3, 9, null], sampler, steps: 10 });
      // Langevin steps keep the noise of the last level.
      const tolerance = sampler === 'annealed-langevin' || sampler === 'predictor-corrector' ? 0.1 : 1e-4;
      close(means(pictures), [0, 0.3, 0.9, 0.5], tolerance, sampler);
    }
  });

  test('guidance moves samples away from the unlabelled picture, and pixels end in [0, 1]', () => {
    const at = (guidance: number, label: number) =>
      means(samplePictures(greys(), { labels: [label], guidance, guidanceAbove: 0, steps: 5 }))[0];
    close([at(0, 7), at(1, 7), at(2, 7), at(2, 9)], [0.5, 0.7, 0.9, 1], 1e-4, 'guided');
  });

  test('by default guidance ends when there is less noise than data, and then there is no second evaluation', () => {
    const asked: [t: number, rows: number][] = [];
    const model = greys();
    const { predict } = model;
    model.predict = (x, t, labels) => {
      asked.push([t, labels.length]);
      return predict(x, t, labels);
    };
    const picture = means(samplePictures(model, { labels: [7], guidance: 2, steps: 10 }));
    close(picture, [0.7], 1e-4, 'at the end the conditional model is used');
    for (const [t, rows] of asked) {
      const { alpha, sigma } = model.schedule.level(t);
      assert.is(rows, sigma >= alpha ? 2 : 1, `t = ${t}`);
    }
    assert.equal(new Set(asked.map(([, rows]) => rows)).size, 2);
    refused(() => samplePictures(model, { labels: [7], guidanceAbove: -1 }), ValueError, /guidance: above/);
  });

  test('guidance in an interval evaluates twice at the levels within it, and only there', () => {
    const asked: [noise: number, rows: number][] = [];
    const model = greys();
    const { predict } = model;
    model.predict = (x, t, labels) => {
      const { alpha, sigma } = model.schedule.level(t);
      asked.push([sigma / alpha, labels.length]);
      return predict(x, t, labels);
    };
    const options = { labels: [7], guidance: 2, guidanceAbove: 0.5, steps: 10 };
    const rowsOf = (guidanceBelow: number) => {
      asked.length = 0;
      samplePictures(model, { ...options, guidanceBelow });
      for (const [noise, rows] of asked) {
        const isGuided = noise >= 0.5 && (guidanceBelow === 0 || noise <= guidanceBelow);
        assert.is(rows, isGuided ? 2 : 1, `sigma/alpha = ${noise}`);
      }
      return asked.reduce((sum, [, rows]) => sum + rows, 0);
    };
    assert.ok(10 < rowsOf(3) && rowsOf(3) < rowsOf(0));
    refused(() => samplePictures(model, { ...options, guidanceBelow: -1 }), ValueError, /guidance: below/);
  });

  test('all pictures advance in the same frames, although they are sampled in parts', () => {
    const model = greys();
    const labels = labelsInTurn(model, 260);
    const grown = (most: number, shown?: number) => {
      const run = growingSamples(model, { labels, steps: 7, seed: 1 }, most, shown);
      let next = run.next();
      while (!next.done) next = run.next();
      return next.value;
    };
    const { before, last } = grown(60);
    assert.equal([before.length, grown(3).before.length, grown(0).before.length], [6, 2, 0]);
    assert.equal(last.pictures, samplePictures(model, { labels, steps: 7, seed: 1 }));
    const distance = (frame: Float64Array, from: number, to: number) =>
      means(frame)
        .slice(from, to)
        .reduce((sum, mean, i) => sum + Math.abs(mean - labels[from + i]! / 10), 0);
    for (const [from, to] of [
      [0, 250],
      [250, 260],
    ] as const) {
      const distances = before.map((frame) => distance(frame, from, to));
      assert.equal(
        distances.toSorted((a, b) => b - a),
        distances,
        'each step is nearer to the result',
      );
      assert.ok(distances[0] > 0.01 * (to - from), `${distances}`);
    }
    for (const frame of before) assert.is(frame.length, 6 * 260);
    for (const shown of [100, 255]) {
      const first = before.map((frame) => frame.slice(0, 6 * shown));
      assert.equal(grown(60, shown).before, first, `the first ${shown} alone`);
    }
  });

  test('more than 250 pictures are sampled in parts, and a step reports the total', () => {
    const model = greys();
    const labels = labelsInTurn(model, 503);
    const steps: number[][] = [];
    const run = sampleDiffusion(model, { labels, steps: 2, sampler: 'ddpm' });
    let next = run.next();
    for (; !next.done; next = run.next()) {
      const { step, steps: all } = next.value;
      steps.push([step, all, next.value.pictures().length / 6]);
    }
    assert.equal(steps, [
      [1, 6, 250],
      [2, 6, 250],
      [3, 6, 250],
      [4, 6, 250],
      [5, 6, 3],
      [6, 6, 3],
    ]);
    close(
      means(next.value),
      labels.map((label) => label! / 10),
      1e-4,
      'all',
    );
  });

  test('all memory is freed, also if the caller stops early', () => {
    const rng = new Rng(0);
    const model = new DiffusionPipeline(new DiffusionMlp({ ...TINY, rng }), PROCESS);
    for (const p of model.network.parameters()) rng.uniformInto(p, -0.3, 0.3); // untrained it always predicts 0
    const sampling = { labels: labelsInTurn(model, 4), steps: 4, guidance: 2 };
    const one = samplePictures(model, sampling);
    const before = backend().heap.usedBytes;
    assert.equal(samplePictures(model, sampling), one, 'the same seed, the same bits');
    for (const _ of sampleDiffusion(model, sampling)) break;
    assert.is(backend().heap.usedBytes, before);
    assert.not.equal(samplePictures(model, { ...sampling, seed: 1 }), one);
  });

  test('labels take turns; a model without labels has none; options that do not fit are refused', () => {
    assert.equal(labelsInTurn(greys(3), 5), [0, 1, 2, 0, 1]);
    assert.equal(labelsInTurn(greys(0), 2), [null, null]);
    refused(() => samplePictures(greys(), { labels: [10] }), ValueError, /labels from 0 to 9, got 10/);
    refused(() => samplePictures(greys(0), { labels: [1] }), ValueError, /unconditional/);
    refused(
      () => samplePictures(greys(), { labels: [1], steps: 41 }),
      ValueError,
      /at most 40 sampling steps/,
    );
    refused(() => samplePictures(greys(), { labels: [1], guidance: -1 }), ValueError, /scale/);
  });
});
