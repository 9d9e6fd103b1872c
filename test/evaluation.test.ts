/** The classifier that judges samples, and the distances between sets of points. */
import * as assert from 'uvu/assert';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoint/checkpoint.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { FormatError, ShapeError, ValueError } from '../src/errors.ts';
import { symmetricEigen } from '../src/linear-algebra.ts';
import { evaluatePictures } from '../src/models/evaluation/evaluate.ts';
import {
  densityCoverage,
  frechetDistance,
  nearestNeighbours,
  type Points,
  precisionRecall,
} from '../src/models/evaluation/metrics.ts';
import { Classifier } from '../src/models/networks/classifier.ts';
import { accuracy, classify, pixelsOf } from '../src/models/networks/picture-classifier.ts';
import { classifierOf } from '../src/models/networks/registry.ts';
import { trainClassifier } from '../src/models/training/classifier.ts';
import { crossEntropy } from '../src/nn/loss.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import { close, refused } from './helpers.ts';
import { epochsOf } from './helpers-training.ts';
import { suite } from './suite.ts';

/** n normals in D dimensions with the given standard deviations and mean. */
function normals(seed: string, n: number, deviations: readonly number[], mean = 0): Points {
  const dimension = deviations.length;
  const z = new Rng(seed).normal([n, dimension]).toTypedArray();
  return { dimension, values: Float64Array.from(z, (v, i) => mean + v * deviations[i % dimension]) };
}

const strokes = loadStrokes({ train: 600, test: 200 });
const SIZES = { height: 28, width: 28, classes: 10 };
const classifier = new Classifier(SIZES, new Rng(0));
const epochs = epochsOf(
  trainClassifier(classifier, strokes, { epochs: 12, batchSize: 50, lr: 2e-3, seed: 0 }),
);

suite('evaluation', (test) => {
  test('cross-entropy is -ln softmax at the label, and its gradient softmax minus one-hot', () => {
    const rows = [
      [1, 2, 3],
      [1000, 0, -1000],
    ];
    const logits = tensor(rows, { requiresGrad: true });
    const loss = crossEntropy(logits, [0, 1]);
    const sum = Math.exp(1) + Math.exp(2) + Math.exp(3);
    close([loss.item()], [(-Math.log(Math.exp(1) / sum) + 1000) / 2], 1e-4, 'loss');
    loss.backward();
    const soft = [1, 2, 3].map((x) => Math.exp(x) / sum / 2);
    close(logits.grad!.toTypedArray(), [soft[0] - 0.5, soft[1], soft[2], 0.5, -0.5, 0], 1e-6, 'gradient');
  });

  test('the classifier learns drawn digits, and a file gives it back', () => {
    assert.equal(
      epochs.map(({ epoch }) => epoch),
      Array.from({ length: 12 }, (_, i) => i + 1),
    );
    assert.ok(epochs[11].trainLoss < 0.5 * epochs[0].trainLoss);
    const reached = accuracy(classifier, strokes.test);
    assert.ok(reached > 0.8, `${reached}`);
    const bytes = encodeCheckpoint(classifier, { kind: Classifier.kind, sizes: SIZES });
    const back = classifierOf(decodeCheckpoint(bytes));
    assert.equal(classify(back, pixelsOf(strokes.test)), classify(classifier, pixelsOf(strokes.test)));
    refused(
      () => classifierOf({ ...decodeCheckpoint(bytes, 'c'), kind: 'denoiser' }),
      FormatError,
      /c: expected a model "classifier" or "conv-classifier", got "denoiser"/,
    );
  });

  test('eigenvalues and eigenvectors of a matrix with known ones', () => {
    const D = 5;
    const wanted = [9, 4, 1, 0.25, 0];
    // Of a symmetric matrix Q·diag·Qᵀ with Q = I - 2·u·uᵀ, u a unit vector
    const u = [1, -2, 3, 0.5, -1];
    const norm = u.reduce((sum, x) => sum + x * x, 0);
    const q = (i: number, j: number) => (i === j ? 1 : 0) - (2 * u[i] * u[j]) / norm;
    const matrix = Float64Array.from({ length: D * D }, (_, k) =>
      wanted.reduce((sum, value, m) => sum + q(Math.floor(k / D), m) * value * q(k % D, m), 0),
    );
    const { values, vectors } = symmetricEigen(matrix, D);
    close(
      [...values].sort((a, b) => b - a),
      wanted,
      1e-12,
      'eigenvalues',
    );
    for (let v = 0; v < D; v++) {
      for (let i = 0; i < D; i++) {
        let sum = 0;
        for (let k = 0; k < D; k++) sum += matrix[i * D + k] * vectors[k * D + v];
        assert.ok(Math.abs(sum - values[v] * vectors[i * D + v]) < 1e-12);
      }
    }
  });

  test('the Fréchet distance of axis-aligned normals is |m1-m2|² + Σ(s1-s2)², and 0 of a set from itself', () => {
    const a = normals('a', 40_000, [1, 2, 0.5]);
    const b = normals('b', 40_000, [2, 1, 0.5], 0.3);
    assert.ok(Math.abs(frechetDistance(a, b) - (3 * 0.09 + 1 + 1)) < 0.06, `${frechetDistance(a, b)}`);
    assert.ok(Math.abs(frechetDistance(a, a)) < 1e-9);
    assert.ok(Math.abs(frechetDistance(a, b) - frechetDistance(b, a)) < 1e-9);
    refused(
      () => frechetDistance(a, normals('c', 10, [1])),
      ShapeError,
      /expected points of 3 numbers, got 1/,
    );
    refused(
      () => frechetDistance(normals('c', 1, [1]), normals('c', 1, [1])),
      ShapeError,
      /two points or more/,
    );
  });

  test('precision falls for samples that are not real, recall for real ones that are not sampled', () => {
    const real = normals('real', 400, [1, 1]);
    const same = precisionRecall(real, normals('same', 400, [1, 1]));
    assert.ok(same.precision > 0.85 && same.recall > 0.85, JSON.stringify(same));
    const narrow = precisionRecall(real, normals('narrow', 400, [0.2, 0.2]));
    assert.ok(narrow.precision > 0.95 && narrow.recall < 0.3, JSON.stringify(narrow));
    const wide = precisionRecall(real, normals('wide', 400, [6, 6]));
    assert.ok(wide.precision < 0.3 && wide.recall > 0.9, JSON.stringify(wide));
    const far = precisionRecall(real, normals('far', 400, [1, 1], 100));
    assert.equal(far, { precision: 0, recall: 0 });
  });

  test('density and coverage: of a set and itself (k + 1)/k and 1, of sets apart 0 and 0', () => {
    const real = normals('real', 300, [1, 1]);
    assert.equal(densityCoverage(real, real), { density: 6 / 5, coverage: 1 });
    assert.equal(densityCoverage(real, normals('far', 300, [1, 1], 100)), { density: 0, coverage: 0 });
    // Eight points on a line: the balls of fifth neighbours reach 5, 4, 3, 3, 3, 3, 4 and 5.
    const line = { dimension: 1, values: Float64Array.from({ length: 8 }, (_, i) => i) };
    const one = { dimension: 1, values: Float64Array.of(0, 0) };
    assert.equal(densityCoverage(line, one), { density: 4 / 5, coverage: 4 / 8 });
    refused(
      () => densityCoverage(normals('few', 5, [1]), real),
      ShapeError,
      /more than 5 real points, got 5/,
    );
  });

  test('density and coverage: near 1 and 1 - 2^-5 for one distribution, and small where precision is fooled', () => {
    const real = normals('real', 1000, [1, 1]);
    const same = densityCoverage(real, normals('same', 1000, [1, 1]));
    assert.ok(Math.abs(same.density - 1) < 0.1, `${same.density}`);
    assert.ok(Math.abs(same.coverage - (1 - 2 ** -5)) < 0.02, `${same.coverage}`);
    // One outlier, whose ball contains everything between it and the others
    const values = (real.values as Float64Array).slice();
    values.set([300, 300], 0);
    const outlier = { ...real, values };
    const noise = normals('noise', 1000, [2, 2], 100);
    assert.is(precisionRecall(outlier, noise).precision, 1);
    const { density, coverage } = densityCoverage(outlier, noise);
    assert.ok(density <= 0.2 && coverage <= 1 / 1000, `${density}, ${coverage}`);
  });

  test('nearest neighbours and their distances', () => {
    const points = { dimension: 2, values: Uint8Array.from([0, 0, 10, 0, 0, 10]) };
    const asked = { dimension: 2, values: Uint8Array.from([9, 1, 3, 4, 0, 10]) };
    const { indices, distances } = nearestNeighbours(points, asked);
    assert.equal([...indices], [1, 0, 2]);
    close(distances, [Math.SQRT2, 5, 0], 1e-12, 'distances');
  });

  test('real pictures are as asked and real; pictures learnt by heart, of one class or of noise are found out', () => {
    const n = 200;
    const labels = [...strokes.test.labels];
    const evaluate = (pictures: Float64Array) => evaluatePictures(classifier, strokes, pictures, labels);
    const real = evaluate(Float64Array.from(pixelsOf(strokes.test)));
    assert.is(real.conditionalAccuracy, accuracy(classifier, strokes.test));
    assert.ok(Math.abs(real.frechet.samples) < 1e-6 && real.frechet.real > 0);
    assert.equal([real.precision.samples, real.recall.samples, real.coverage.samples], [1, 1, 1]);
    assert.is(real.nearest.samples, real.nearest.real);
    assert.is(
      real.found.reduce((a, b) => a + b),
      n,
    );

    const known = evaluate(Float64Array.from(pixelsOf(strokes.train).subarray(0, n * 784)));
    assert.is(known.nearest.samples, 0);
    assert.equal([...known.neighbours.subarray(0, 5)], [0, 1, 2, 3, 4]);

    const noise = evaluate(Float64Array.from(new Rng('n').uniform([n, 784]).toTypedArray()));
    assert.ok(noise.conditionalAccuracy! < 0.3 && noise.frechet.samples > 5 * noise.frechet.real);
    assert.ok(noise.density.samples < 0.1 && noise.coverage.samples < 0.1, JSON.stringify(noise.density));
    assert.ok(noise.precision.samples < 0.2 && noise.nearest.samples > noise.nearest.real);
    refused(
      () => evaluatePictures(classifier, strokes, new Float64Array(99 * 784), labels.slice(0, 99)),
      ValueError,
      /expected 100 pictures or more, got 99/,
    );
  });
});
