/** The two-sample test: its parts by closed forms, and real pictures against real, moved and damaged ones. */
import * as assert from 'uvu/assert';
import { split, take } from '../src/data/dataset.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { toBytes } from '../src/image/bytes.ts';
import { classificationScore } from '../src/models/evaluation/classification-score.ts';
import {
  type JudgedPictures,
  judgedOf,
  matchLabels,
  picturesAt,
  takeJudged,
} from '../src/models/evaluation/judged.ts';
import { fitLogistic, logisticAccuracy, meanLoss } from '../src/models/evaluation/logistic.ts';
import { twoSampleRun, twoSampleTest } from '../src/models/evaluation/two-sample.ts';
import { bestThreshold, spreads, standardised } from '../src/models/evaluation/two-sample-plain.ts';
import { proportion } from '../src/models/evaluation/wilson.ts';
import { ConvClassifier } from '../src/models/networks/conv-classifier.ts';
import { trainClassifier } from '../src/models/training/classifier.ts';
import { Rng } from '../src/random/rng.ts';
import { close, refused, uniforms } from './helpers.ts';
import { epochsOf } from './helpers-training.ts';
import { suite } from './suite.ts';

const data = loadStrokes({ train: 3000, test: 1000 });
const real = judgedOf(take(data.test, 600));
const few = takeJudged(real, 120);
const EPOCHS = 4;

/** Real pictures of the test set, changed. */
const changed = (change: (images: Uint8Array) => Uint8Array): JudgedPictures => {
  return { ...real, images: change(real.images) };
};
/** One pixel to the right; what leaves a row is lost. */
const moved = (images: Uint8Array) => images.map((_, i) => (i % 28 === 0 ? 0 : images[i - 1]));
/** A fifth of the ground is grey. */
const grounded = (images: Uint8Array) => {
  const chance = uniforms('ground', images.length, 0, 1);
  return images.map((grey, i) => (grey === 0 && chance[i] < 0.2 ? 90 : grey));
};

suite('two-sample', (test) => {
  test("Wilson's interval: the published 0.404 to 0.596 for 50 of 100, z²/(n + z²) for none, and all mirrored", () => {
    const half = proportion(50, 100);
    close([half.value, half.low, half.high], [0.5, 0.4038, 0.5962], 5e-5, '50 of 100');
    const z2 = 1.959963984540054 ** 2;
    const none = proportion(0, 30);
    close([none.low, none.high], [0, z2 / (30 + z2)], 1e-12, 'none of 30');
    const all = proportion(30, 30);
    close([all.low, all.high], [1 - none.high, 1], 1e-12, 'all of 30');
    for (let n = 1; n < 200; n++) {
      const [lowest, highest] = [proportion(0, n), proportion(n, n)];
      assert.equal([lowest.low, highest.high], [0, 1], `none and all of ${n}`);
    }
    refused(
      () => proportion(3, 2),
      ValueError,
      /expected successes from 0 to trials, trials >= 1, got 3 of 2/,
    );
    refused(() => proportion(0, 0), ValueError, /got 0 of 0/);
  });

  test('logistic regression on a table of two by two finds the log odds and their ratio', () => {
    // x = 0: 30 of 100 are of class 1; x = 1: 80 of 100.
    const table = [
      [0, 30],
      [1, 80],
    ];
    const values = Float64Array.from(table.flatMap(([x]) => Array<number>(100).fill(x)));
    const labels = Uint8Array.from(
      table.flatMap(([, ones]) => Array.from({ length: 100 }, (_, i) => +(i < ones))),
    );
    const rows = { values, columns: 1, labels };
    const odds = (p: number) => Math.log(p / (1 - p));
    const model = fitLogistic(rows, 1e-9);
    close([model.intercept, model.weights[0]], [odds(0.3), odds(0.8) - odds(0.3)], 1e-6, 'weights');
    const entropy = (p: number) => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    close([meanLoss(model, rows)], [(entropy(0.3) + entropy(0.8)) / 2], 1e-9, 'loss');
    assert.is(logisticAccuracy(model, rows), 0.75);
    // With a ridge the gradient vanishes: Σ (p - y)·x + λ·w = 0, and Σ (p - y) = 0.
    const ridged = fitLogistic(rows, 7);
    const p = Array.from(values, (x) => 1 / (1 + Math.exp(-ridged.intercept - ridged.weights[0] * x)));
    const slope = p.reduce((sum, value, i) => sum + (value - labels[i]) * values[i], 7 * ridged.weights[0]);
    close([slope, p.reduce((sum, value, i) => sum + value - labels[i], 0)], [0, 0], 1e-6, 'gradient');
    // Classes that a line parts: the ridge keeps the weights finite.
    const parted = fitLogistic(
      { values: Float64Array.of(-1, 1), columns: 1, labels: Uint8Array.of(0, 1) },
      0.1,
    );
    assert.ok(Number.isFinite(parted.weights[0]) && parted.weights[0] > 1);
    refused(
      () => fitLogistic({ ...rows, columns: 2 }, 1),
      ShapeError,
      /expected 200 rows of 2, got 200 numbers/,
    );
  });

  test('columns are standardised by mean and deviation, cut at 5, and stand beside their squares', () => {
    const values = Float64Array.of(1, 7, 3, 7, 5, 7, 7, 7);
    const by = spreads(values, 2);
    close(
      [by[0].mean, by[0].deviation, by[1].mean, by[1].deviation],
      [4, Math.sqrt(5), 7, 0],
      1e-12,
      'spreads',
    );
    const z = [-3, -1, 1, 3].map((x) => x / Math.sqrt(5));
    const expected = z.flatMap((x) => [x, 0, x * x, 0]);
    close(standardised(values, by), expected, 1e-12, 'z and z²');
    close(standardised(Float64Array.of(400, 7), by), [5, 0, 25, 0], 0, 'far away');
  });

  test('the best threshold of one statistic is that of all thresholds, ties included', () => {
    const a = Float64Array.from(uniforms('a', 60, 0, 12), Math.floor);
    const b = Float64Array.from(uniforms('b', 60, 2, 16), Math.floor);
    const shareBelow = (of: Float64Array, at: number) => of.filter((x) => x <= at).length / of.length;
    const gaps = Array.from({ length: 17 }, (_, at) => Math.abs(shareBelow(a, at) - shareBelow(b, at)));
    close([bestThreshold(a, b)], [0.5 + Math.max(...gaps) / 2], 1e-12, 'threshold');
    assert.is(bestThreshold(a, a), 0.5);
    assert.is(bestThreshold(Float64Array.of(1, 2), Float64Array.of(3, 4)), 1);
  });

  test('each sample meets a real picture of its label, none twice; too few of a label are refused', () => {
    const labels = [...real.labels.slice(0, 100), null, null];
    const match = matchLabels('test', labels, data.train, 0);
    assert.is(new Set(match).size, 102);
    assert.ok(labels.every((label, i) => label === null || data.train.labels[match[i]] === label));
    assert.not.equal(match, matchLabels('test', labels, data.train, 1));
    refused(
      () => matchLabels('test', [3, 3], { ...take(data.train, 1), labels: Uint8Array.of(3) }, 0),
      ValueError,
      /test: expected 2 real pictures with the label 3, as many as samples, got 1/,
    );
    assert.equal(picturesAt(Uint8Array.of(1, 2, 3, 4, 5, 6), 2, [2, 0]), Uint8Array.of(5, 6, 1, 2));
    assert.equal(toBytes([-1, 0, 0.5, 1, 1.2, 1 / 255]), Uint8Array.of(0, 0, 128, 255, 255, 1));
  });

  test('nobody tells real from real, every classifier tells what is damaged, and the same seed tells the same', () => {
    const sizes = { height: 28, width: 28, classes: 10 };
    const judge = new ConvClassifier(sizes, new Rng(0));
    epochsOf(
      trainClassifier(
        judge,
        { ...data, train: take(data.train, 400) },
        { epochs: 2, batchSize: 50, lr: 3e-3, seed: 0 },
      ),
    );
    const options = { judge, epochs: EPOCHS };
    const same = twoSampleTest(real, data.train, options);
    assert.equal(same.pairs, { train: 420, choose: 60, test: 120 });
    for (const { accuracy } of [same.fresh, same.fromJudge!, same.plain]) {
      assert.is(accuracy.trials, 240);
      assert.ok(accuracy.low <= 0.5 && accuracy.high >= 0.5, JSON.stringify(accuracy));
    }
    const probabilities = same.suspects.map(({ probability }) => probability);
    assert.equal(
      probabilities,
      [...probabilities].sort((a, b) => b - a),
    );
    assert.is(new Set(same.suspects.map(({ sample }) => sample)).size, 120);
    const partners = same.suspects.map(({ sample }) => same.matched[sample]);
    const genuine = same.genuine.map(({ picture }) => picture);
    assert.equal(genuine.sort(), partners.sort(), 'the real pictures are the partners of the samples');
    assert.ok([...same.matched].every((at, i) => data.train.labels[at] === real.labels[i]));

    const damaged = twoSampleTest(changed(grounded), data.train, options);
    for (const { accuracy } of [damaged.fresh, damaged.fromJudge!, damaged.plain]) {
      assert.ok(accuracy.low > 0.9, JSON.stringify(accuracy));
    }
    for (const side of [damaged.suspects, damaged.genuine]) {
      const certain = side.map(({ probability }) => probability);
      assert.ok(certain[60] > 0.5 && certain.every((p, i) => i === 0 || p <= certain[i - 1]), `${certain}`);
    }
    const told = damaged.plain.statistics.filter(({ alone }) => alone > 0.99).map(({ name }) => name);
    assert.ok(told.includes('grey32-95') && told.includes('specks'), `${told}`);

    assert.equal(twoSampleTest(changed(grounded), data.train, options), damaged);
    const other = twoSampleTest(few, data.train, { epochs: 1, seed: 1 });
    assert.not.equal([...other.matched], [...damaged.matched.subarray(0, 120)]);
  });

  test.when(
    process.env.LANGEVIN_MNIST !== undefined,
    'MNIST from MNIST nobody tells, but the fresh network sees a twentieth of the neighbouring pixel',
    async () => {
      const { train } = await loadMnist({ dataDir: process.env.LANGEVIN_MNIST });
      const { train: some, test: others } = split(train, 1500 / train.length, 'deal');
      const same = twoSampleTest(judgedOf(some), others, { epochs: 3 });
      for (const { accuracy } of [same.fresh, same.plain]) {
        assert.ok(accuracy.low <= 0.5 && accuracy.high >= 0.5, JSON.stringify(accuracy));
      }
      const images = some.images.map((grey, i) => Math.round(0.95 * grey + 0.05 * (some.images[i - 1] ?? 0)));
      const mixed = twoSampleTest({ ...judgedOf(some), images }, others, { epochs: 3 });
      for (const { accuracy } of [mixed.fresh, mixed.plain]) {
        assert.ok(accuracy.low > 0.9, JSON.stringify(accuracy));
      }
    },
  );

  test('a step of one pixel is found by a statistic alone, and by what the networks see', () => {
    const step = twoSampleTest(changed(moved), data.train, { epochs: 1 });
    assert.is(step.fromJudge, null);
    const centre = step.plain.statistics.find(({ name }) => name === 'centreX')!;
    const still = twoSampleTest(real, data.train, { epochs: 1 });
    const before = still.plain.statistics.find(({ name }) => name === 'centreX')!;
    close([centre.samples.mean - before.samples.mean], [1], 0.05, 'centre');
    assert.is(centre.real.mean, before.real.mean);
    assert.ok(centre.alone > before.alone);
  });

  test('progress comes after every epoch, and what cannot be tested is refused', () => {
    const run = twoSampleRun(real, data.train, { epochs: 2 });
    const { value, done } = run.next();
    assert.ok(
      !done && value.classifier === 'fresh' && value.epoch === 1 && value.epochs === 2 && value.loss > 0,
    );
    run.return(undefined as never);
    const tooFew = takeJudged(real, 99);
    refused(() => twoSampleTest(tooFew, data.train), ValueError, /expected 100 samples or more, got 99/);
    const { labels } = tooFew;
    refused(
      () => twoSampleTest({ ...real, labels }, data.train),
      ShapeError,
      /expected 77616 bytes for 99 labels/,
    );
    refused(
      () => twoSampleTest({ ...real, height: 14, width: 56 }, data.train),
      ShapeError,
      /expected pictures of 28x28x1, got 14x56x1/,
    );
    refused(
      () => twoSampleTest(real, data.train, { epochs: 0 }),
      ValueError,
      /expected a whole number of epochs >= 1/,
    );
  });

  test('the classification score: real pictures teach as much as real ones, wrong labels teach nothing', () => {
    const some = take(data.test, 300);
    const judged = judgedOf(some);
    const { train } = data;
    const options = { epochs: 8 };
    const good = classificationScore(judged, { train, test: some }, options);
    assert.is(good.pictures, 300);
    assert.ok(good.samples.value > 0.9 && good.real.value > 0.6, JSON.stringify(good));
    const labels = judged.labels.map((label) => (label! + 1) % 10);
    const wrong = classificationScore({ ...judged, labels }, { train, test: some }, options);
    assert.ok(wrong.samples.value < 0.1, JSON.stringify(wrong.samples));
    refused(
      () =>
        classificationScore({ ...judged, labels: labels.map((label, i) => (i === 7 ? null : label)) }, data),
      ValueError,
      /expected a label for each sample, got 299 for 300 samples/,
    );
  });
});
