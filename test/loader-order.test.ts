/** Orders of an epoch: draws by weights and stratified batches. Also transforms, and rows of tensors. */
import * as fc from 'fast-check';
import seedrandom from 'seedrandom';
import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { backend } from '../src/backend/backend.ts';
import { createDataset, type Dataset, permutation } from '../src/data/dataset.ts';
import { DataLoader, type LoaderOptions } from '../src/data/loader.ts';
import { balancedWeights } from '../src/data/order.ts';
import { TensorDataset } from '../src/data/tensor-dataset.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, refused } from './helpers.ts';
import { suite } from './suite.ts';

/** Picture i of 1x1 pixel has the value i. */
const numbered = (labels: readonly number[]): Dataset =>
  createDataset({
    name: 'numbered',
    height: 1,
    width: 1,
    classes: 256,
    images: Uint8Array.from(labels, (_, i) => i),
    labels: Uint8Array.from(labels),
  });

const numbersOf = (images: Tensor) => Array.from(images.toTypedArray(), (v) => Math.round(255 * v));

/** The pictures of the next epoch by number, batch by batch. */
const epochOf = (loader: DataLoader): number[][] =>
  Array.from(loader, ({ images }) => {
    const numbers = numbersOf(images);
    images.dispose();
    return numbers;
  });

const load = (labels: readonly number[], options: LoaderOptions) => new DataLoader(numbered(labels), options);

/** The labels 0 to length - 1, for a set with one picture per class. */
const upTo = (length: number) => Array.from({ length }, (_, i) => i);

suite('order of a loader', (test) => {
  test('a weighted epoch has the samples at which the distribution function reaches the random numbers of the seed', () => {
    const weights = [0, 3, 0.5, 0, 2, 1.5, 0];
    const loader = load(upTo(7), { batchSize: 3, seed: 'w', weights });
    for (const epoch of [0, 1, 2]) {
      const random = seedrandom(`w/${epoch}`);
      const expected = weights.map(() => {
        let left = 7 * random.double();
        return weights.findIndex((weight) => (left -= weight) < 0);
      });
      assert.equal(epochOf(loader).flat(), expected);
    }
  });

  test('samples are drawn in proportion to their weights, and a sample of weight 0 never', () => {
    const weights = upTo(20).map((i) => (i % 5) ** 2);
    const loader = load(upTo(20), { batchSize: 20, seed: 1, weights });
    const counts = new Array<number>(20).fill(0);
    const epochs = 500;
    for (let epoch = 0; epoch < epochs; epoch++) for (const i of epochOf(loader).flat()) counts[i]++;
    const total = weights.reduce((sum, w) => sum + w, 0);
    const chi2 = weights.reduce((sum, weight, i) => {
      const expected = (epochs * 20 * weight) / total;
      if (weight === 0) assert.is(counts[i], 0);
      return weight === 0 ? sum : sum + (counts[i] - expected) ** 2 / expected;
    }, 0);
    assert.ok(chi2 < 37.7, `chi-square with 15 degrees of freedom: ${chi2}, 0.1 % lie above 37.7`);
  });

  test('the scale of the weights does not matter, and a single weight draws only its sample', () => {
    const weights = [1, 2, 3, 4];
    const order = (scale: number) =>
      epochOf(load(upTo(4), { batchSize: 4, seed: 5, weights: weights.map((w) => scale * w) }));
    assert.equal(order(2 ** -1000), order(1));
    assert.equal(order(2 ** 1000), order(1));
    for (const at of [0, 2, 3]) {
      const alone = upTo(4).map((i) => (i === at ? 5e-324 : 0));
      assert.equal(epochOf(load(upTo(4), { batchSize: 4, seed: 5, weights: alone })), [Array(4).fill(at)]);
    }
  });

  test('balanced weights give every class the same sum', () => {
    const labels = [0, 1, 1, 7, 7, 7, 7];
    assert.equal([...balancedWeights(labels)], [1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]);
    const loader = load(labels, { batchSize: 7, seed: 3, weights: balancedWeights(labels) });
    const counts = new Map<number, number>();
    for (let epoch = 0; epoch < 300; epoch++) {
      for (const i of epochOf(loader).flat()) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
    }
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 700) ** 2 / 700, 0);
    assert.ok(chi2 < 13.8, `chi-square with 2 degrees of freedom: ${chi2}, 0.1 % lie above 13.8`);
  });

  test("stratified batches have the floor or the ceiling of each class's share, and every picture once", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 1, max: 40 }),
        fc.option(fc.string(), { nil: undefined }),
        (labels, batchSize, seed) => {
          const loader = load(labels, { batchSize, seed, stratify: labels });
          const batches = epochOf(loader);
          assert.equal(
            batches.flat().sort((a, b) => a - b),
            upTo(labels.length),
          );
          for (const [b, batch] of batches.entries()) {
            const last = b === batches.length - 1;
            if (!last) assert.is(batch.length, batchSize);
            for (const c of new Set(labels)) {
              const share = batch.length * labels.filter((label) => label === c).length;
              const count = batch.filter((i) => labels[i] === c).length;
              assert.ok(Math.floor(share / labels.length) <= count, `${count} of class ${c} in batch ${b}`);
              assert.ok(Math.ceil(share / labels.length) >= count, `${count} of class ${c} in batch ${b}`);
            }
          }
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });

  test('each stratified epoch has a new order, and batches keep the order of the plain shuffle', () => {
    const labels = upTo(60).map((i) => i % 3);
    const loader = load(labels, { batchSize: 12, seed: 'x', stratify: labels });
    for (const epoch of [0, 1]) {
      const place = [...permutation(60, `x/${epoch}`)];
      for (const batch of epochOf(loader)) {
        const places = batch.map((i) => place.indexOf(i));
        assert.equal(
          places,
          [...places].sort((a, b) => a - b),
        );
        assert.equal(
          [0, 1, 2].map((c) => batch.filter((i) => labels[i] === c).length),
          [4, 4, 4],
        );
      }
    }
    const whole = load(labels, { batchSize: 25, seed: 'x', stratify: labels, dropLast: true });
    assert.is(new Set(epochOf(whole).flat()).size, 50);
  });

  test('a loader of any kind continues from a position with the same bits, with transforms too', () => {
    const labels = upTo(50).map((i) => i % 7);
    const noisy = (images: Tensor, rng: Rng) => images.add(rng.normal(images.shape));
    const kinds: Partial<LoaderOptions>[] = [
      { weights: upTo(50) },
      { stratify: labels },
      { transform: noisy },
      { weights: balancedWeights(labels), transform: noisy },
    ];
    const bits = (loader: DataLoader) =>
      Array.from(loader, ({ images, labels: of }) => [...images.toTypedArray(), ...of]);
    for (const kind of kinds) {
      const options = { batchSize: 8, seed: 1, ...kind };
      const first = load(labels, options);
      const before = bits(first);
      for (let i = 0; i < 3; i++) first.next();
      const second = load(labels, options);
      second.next();
      second.seek(first.position);
      const [a, b] = [bits(first), bits(second)];
      assert.equal(b, a);
      assert.equal(bits(second), bits(first), 'and in the next epoch');
      assert.not.equal(a, before.slice(3), 'epochs differ');
    }
  });

  test('a transform gets the pictures, and a generator of seed, epoch and batch', () => {
    const seen: number[][] = [];
    const transform = (images: Tensor, rng: Rng) => {
      seen.push([...rng.bits(2)]);
      return images.mul(2);
    };
    const loader = load(upTo(4), { batchSize: 2, seed: 'a', transform });
    const images = [...loader, ...loader].map((batch) => batch.images);
    const order = [...permutation(4, 'a/0'), ...permutation(4, 'a/1')];
    close(
      images.flatMap((x) => [...x.toTypedArray()]),
      order.map((i) => (2 * i) / 255),
      1e-7,
      'doubled',
    );
    const streams = ['0/0', '0/1', '1/0', '1/1'].map((at) => new Rng('a').stream(`transform ${at}`));
    assert.equal(
      seen,
      streams.map((rng) => [...rng.bits(2)]),
    );
    const wrong = load(upTo(4), { batchSize: 2, transform: (() => undefined) as never });
    const message = 'loader: expected a transform that returns a tensor, got nothing';
    refused(() => wrong.next(), ValueError, message);
  });

  test('transformed batches are freed with their scope or by dispose(), and no other memory remains', () => {
    const transform = (images: Tensor, rng: Rng) => images.add(rng.uniform(images.shape)).mul(2);
    const loader = load(upTo(200), { batchSize: 64, seed: 1, transform });
    const { heap } = backend();
    for (const step of [() => scope(() => void loader.next()), () => loader.next().images.dispose()]) {
      step();
      const used = heap.usedBytes;
      for (let i = 0; i < 20; i++) step();
      assert.is(heap.usedBytes, used);
    }
  });

  test('invalid weights, labels and combinations are refused in one line', () => {
    const wrong = (options: Partial<LoaderOptions>, message: string) =>
      refused(() => load(upTo(3), { batchSize: 2, seed: 1, ...options }), ValueError, `loader: ${message}`);
    wrong({ weights: [1, 2] }, 'expected 3 weights, one per sample, got 2');
    wrong({ weights: [1, -2, 1] }, 'expected weights >= 0, got -2 at 1');
    wrong({ weights: [1, 2, NaN] }, 'expected weights >= 0, got NaN at 2');
    wrong({ weights: [0, 0, 0] }, 'expected weights with a finite sum > 0, got the sum 0');
    wrong({ weights: [1e308, 1e308, 0] }, 'expected weights with a finite sum > 0, got the sum Infinity');
    wrong({ weights: [1, 1, 1], seed: undefined }, 'expected a seed with weights, got none');
    wrong({ weights: [1, 1, 1], stratify: [0, 0, 1] }, 'expected weights or stratify, got both');
    wrong({ stratify: [0, 1] }, 'expected 3 labels to stratify by, one per sample, got 2');
  });
});

suite('tensor dataset', (test) => {
  const x = () => tensor(upTo(12), [6, 2]);
  const y = () => tensor(upTo(6).map((i) => 10 * i));

  test('a sample is a row of each tensor, and is a copy outside the graph', () => {
    const [a, b] = [x().requireGrad(), y()];
    const set = new TensorDataset(a, b);
    assert.is(set.length, 6);
    const [row, number] = set.at(2);
    assert.equal([row.toArray(), number.toArray()], [[4, 5], 20]);
    const rows = set.rows([5, 0, 5]);
    assert.equal(rows[0].toArray(), [
      [10, 11],
      [0, 1],
      [10, 11],
    ]);
    assert.equal(rows[1].toArray(), [50, 0, 50]);
    assert.not(rows[0].requiresGrad);
    rows[0].set(new Float32Array(6));
    assert.equal(a.toTypedArray()[10], 10);
  });

  test('a loader of tensors has the same order as a loader of pictures, with every option', () => {
    const [a, b] = [x(), y()];
    const labels = [0, 1, 0, 1, 0, 0];
    for (const options of [{}, { seed: 3 }, { seed: 3, weights: upTo(6) }, { seed: 3, stratify: labels }]) {
      const rows = new DataLoader(new TensorDataset(a, b), { batchSize: 4, ...options });
      const pictures = load(labels, { batchSize: 4, ...options });
      for (let i = 0; i < 5; i++) {
        assert.equal(rows.position, pictures.position);
        const expected = numbersOf(pictures.next().images);
        const [first, second] = rows.next();
        assert.equal(first.shape, [expected.length, 2]);
        assert.equal(
          first.toArray(),
          expected.map((n) => [2 * n, 2 * n + 1]),
        );
        assert.equal(
          second.toArray(),
          expected.map((n) => 10 * n),
        );
      }
    }
    const doubled = new DataLoader(new TensorDataset(a, b), { batchSize: 6, transform: (t) => t.mul(2) });
    const [first, second] = doubled.next();
    assert.equal(first.toArray(), a.mul(2).toArray());
    assert.equal(second.toArray(), b.toArray());
  });

  test('tensors that cannot be a data set are refused in one line', () => {
    refused(() => new TensorDataset(), ValueError, 'TensorDataset: expected at least one tensor, got none');
    refused(
      () => new TensorDataset(x(), tensor([1, 2])),
      ShapeError,
      'TensorDataset: expected equal numbers of rows, got 6, 2',
    );
    refused(
      () => new TensorDataset(tensor(1)),
      ShapeError,
      'TensorDataset: expected tensors with rows, got a scalar',
    );
    refused(
      () => new TensorDataset([1] as never),
      ValueError,
      /^TensorDataset: expected a tensor, got an array/,
    );
    refused(() => new TensorDataset(x()).at(6), ValueError, /got 6/);
    const empty = () => new DataLoader(new TensorDataset(tensor([])), { batchSize: 1 });
    refused(empty, ValueError, 'loader: expected at least one row in tensors, got 0');
  });
});
