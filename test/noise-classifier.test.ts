/** The classifier of noised pictures, and guidance by it. */
import * as assert from 'uvu/assert';
import { backend } from '../src/backend/backend.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { createDataset } from '../src/data/dataset.ts';
import { createSchedule } from '../src/diffusion/discrete-schedule.ts';
import { GaussianMixture } from '../src/diffusion/gaussian-mixture.ts';
import { FormatError, ShapeError, ValueError } from '../src/errors.ts';
import { DiffusionMlp } from '../src/models/networks/diffusion-mlp.ts';
import {
  NoiseClassifier,
  noiseClassifierOf,
  noisedAccuracy,
} from '../src/models/networks/noise-classifier.ts';
import { DiffusionPipeline } from '../src/models/pipeline.ts';
import { samplePictures } from '../src/models/sample.ts';
import { trainNoiseClassifier } from '../src/models/training/noise-classifier.ts';
import { Rng } from '../src/random/rng.ts';
import { refused } from './helpers.ts';
import { epochsOf } from './helpers-training.ts';
import { suite } from './suite.ts';

const SIZES = { height: 2, width: 3, classes: 2 };
const PIXELS = 6;
/** The two classes: pictures with these mean greys in [-1, 1], slightly darker to the right, and this deviation. */
const MEANS = [-0.5, 0.4].map((grey) => Array.from({ length: PIXELS }, (_, i) => grey - 0.02 * i));
const STD = 0.12;

function pictures(n: number, seed: string) {
  const z = new Rng(seed).normal([n, PIXELS]).toTypedArray();
  const value = (i: number) => MEANS[Math.floor(i / PIXELS) % 2]![i % PIXELS]! + STD * z[i]!;
  return createDataset({
    name: seed,
    height: 2,
    width: 3,
    classes: 2,
    images: Uint8Array.from({ length: n * PIXELS }, (_, i) => Math.round(((value(i) + 1) / 2) * 255)),
    labels: Uint8Array.from({ length: n }, (_, i) => i % 2),
  });
}

const NOISE = { schedule: 'cosine', steps: 100 } as const;
const SCHEDULE = createSchedule('cosine', 100);
const DATA = { train: pictures(1000, 'train'), test: pictures(500, 'test') };
const classifier = new NoiseClassifier(SIZES, NOISE, new Rng(1));
const epochs = epochsOf(
  trainNoiseClassifier(classifier, DATA, { epochs: 6, batchSize: 50, lr: 2e-3, seed: 0 }),
);

/** A model without labels, with the optimal prediction for both classes together. */
function unconditional(): DiffusionPipeline {
  const network = new DiffusionMlp({ ...SIZES, classes: 0, hidden: 2, inner: 2, depth: 1, condition: 2 });
  const model = new DiffusionPipeline(network, { ...NOISE, predicts: 'x0' });
  const mixture = new GaussianMixture(MEANS.map((mean) => ({ weight: 1, mean, variance: STD * STD })));
  model.predict = (x, t) => mixture.denoise(x, SCHEDULE.level(t));
  return model;
}

const mean = (values: Float64Array) => values.reduce((a, b) => a + b) / values.length;

suite('diffusion: guidance by a classifier', (test) => {
  test('it classifies pictures with little noise, and guesses if there is only noise', () => {
    assert.ok(epochs[5].trainLoss < epochs[0].trainLoss);
    const at = (t: number) => noisedAccuracy(classifier, DATA.test, t, 0);
    assert.ok(at(0) > 0.99 && at(30) > 0.95, `${at(0)}, ${at(30)}`);
    assert.ok(at(99) > 0.4 && at(99) < 0.6, `${at(99)}`);
  });

  test('guidance by it turns samples of a model without labels into samples of the label: mean and deviation', () => {
    const model = unconditional();
    const n = 200;
    const labels = Array.from({ length: n }, (_, i) => i % 2);
    const run = (scale: number) => {
      const classified = { model: classifier, scale };
      const all = samplePictures(model, { labels, classifier: classified, sampler: 'ddpm', steps: 100 });
      return [0, 1].map((label) =>
        Float64Array.from({ length: n / 2 }, (_, i) => {
          const at = (2 * i + label) * PIXELS;
          return 2 * mean(all.subarray(at, at + PIXELS)) - 1;
        }),
      );
    };
    for (const [label, values] of run(1).entries()) {
      const wanted = mean(Float64Array.from(MEANS[label]!));
      // 100 means of six pixels, whose own deviation is STD/√6 = 0.05; the rest is the classifier's error.
      assert.ok(Math.abs(mean(values) - wanted) < 0.06, `label ${label}: ${mean(values)}, not ${wanted}`);
      const strayed = values.filter((v) => Math.abs(v - wanted) > 0.45).length; // in the middle between the classes
      assert.ok(strayed <= 3, `label ${label}: ${strayed} of 100 are of the other class`);
    }
    const [first, second] = run(0).map(mean);
    assert.ok(Math.abs(first! - second!) < 0.2, 'without a scale the label makes no difference');
  });

  test('all memory is freed, and its parameters get no gradient', () => {
    const model = unconditional();
    const sample = () =>
      samplePictures(model, { labels: [0, 1], classifier: { model: classifier, scale: 2 }, steps: 5 });
    for (const p of classifier.parameters()) p.zeroGrad();
    sample();
    const before = backend().heap.usedBytes;
    sample();
    assert.is(backend().heap.usedBytes, before);
    assert.ok(classifier.parameters().every((p) => p.requiresGrad && p.grad === null));
  });

  test('it is read back from its file; a file that does not fit is refused', () => {
    const bytes = encodeCheckpoint(classifier, { kind: NoiseClassifier.kind, sizes: SIZES, settings: NOISE });
    const back = noiseClassifierOf(decodeCheckpoint(bytes));
    assert.is(noisedAccuracy(back, DATA.test, 60, 3), noisedAccuracy(classifier, DATA.test, 60, 3));
    const guide = (labels: (number | null)[]) => () =>
      samplePictures(unconditional(), { labels, classifier: { model: classifier, scale: 1 }, steps: 2 });
    refused(guide([2]), ValueError, /a label for each picture, 0 to 1, got 2/);
    refused(guide([null]), ValueError, /0 to 1, got null/);
    const other = new NoiseClassifier({ height: 1, width: 2, classes: 2 }, NOISE, new Rng(0));
    refused(
      () => samplePictures(unconditional(), { labels: [0], classifier: { model: other, scale: 1 } }),
      ShapeError,
      /pictures of 2x3, got one of 1x2/,
    );
    const linear = new NoiseClassifier(SIZES, { schedule: 'linear', steps: 100 }, new Rng(0));
    refused(
      () => samplePictures(unconditional(), { labels: [0], classifier: { model: linear, scale: 1 } }),
      ValueError,
      /noise by cosine, 100 steps, got one of linear, 100 steps/,
    );
    refused(
      () => classifier.forward(new Rng(0).normal([2, 2, 3, 1]), [1]),
      ShapeError,
      /expected 2 times, got 1/,
    );
    const bare = encodeCheckpoint(classifier, { kind: NoiseClassifier.kind, sizes: SIZES });
    refused(
      () => noiseClassifierOf(decodeCheckpoint(bare, 'c')),
      FormatError,
      /c: settings: expected an object, got nothing/,
    );
  });

  test('at pure noise, as at the end of a flow, the label changes nothing', () => {
    const flow = { schedule: 'flow', steps: 100 } as const;
    const guide = new NoiseClassifier(SIZES, flow, new Rng(3));
    const network = new DiffusionMlp({ ...SIZES, classes: 0, hidden: 4, inner: 4, depth: 1, condition: 2 });
    const model = new DiffusionPipeline(network, { ...flow, predicts: 'flow' });
    const sample = (scale: number) =>
      samplePictures(model, { labels: [0, 1], classifier: { model: guide, scale }, steps: 4 });
    const [none, guided] = [sample(0), sample(3)];
    assert.ok(guided.every(Number.isFinite));
    assert.not.equal(guided, none);
  });
});
