import * as assert from 'uvu/assert';
import { scope } from '../src/autograd/tape.ts';
import { backend } from '../src/backend/backend.ts';
import { createDataset, type Dataset, permutation } from '../src/data/dataset.ts';
import { DataLoader, type LoaderOptions } from '../src/data/loader.ts';
import { loadStrokes } from '../src/data/strokes-set.ts';
import { ValueError } from '../src/errors.ts';
import { refused } from './helpers.ts';
import { suite } from './suite.ts';

/** n pictures of 1x2 pixels: picture i has the values i and 255 - i, and the label i mod 10. */
function numbered(n: number): Dataset {
  const at = Array.from({ length: n }, (_, i) => i);
  return createDataset({
    name: 'numbered',
    height: 1,
    width: 2,
    classes: 10,
    images: Uint8Array.from(at.flatMap((i) => [i, 255 - i])),
    labels: Uint8Array.from(at, (i) => i % 10),
  });
}

/** The pictures of an epoch, by number, batch by batch. */
function epochOf(loader: DataLoader): number[][] {
  const batches: number[][] = [];
  for (const { images } of loader) {
    const pixels = [...images.toTypedArray()];
    batches.push(pixels.filter((_, i) => i % 2 === 0).map((v) => Math.round(v * 255)));
  }
  return batches;
}

const load = (n: number, options: LoaderOptions) => new DataLoader(numbered(n), options);

suite('loader', (test) => {
  test('without a seed an epoch has every picture once in the stored order, and the last batch has the rest', () => {
    const loader = load(10, { batchSize: 4 });
    assert.is(loader.batches, 3);
    for (const _ of [1, 2]) {
      assert.equal(epochOf(loader), [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
      ]);
    }
  });

  test('dropLast leaves an incomplete batch out', () => {
    const loader = load(10, { batchSize: 4, dropLast: true });
    assert.is(loader.batches, 2);
    assert.equal(epochOf(loader).flat(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.equal(loader.position, { epoch: 1, batch: 0 });
  });

  test('with a seed each epoch has its own order, a function of the seed and the epoch only', () => {
    const loader = load(100, { batchSize: 32, seed: 'x' });
    const epochs = [epochOf(loader).flat(), epochOf(loader).flat()];
    assert.equal(epochs[0], [...permutation(100, 'x/0')]);
    assert.equal(epochs[1], [...permutation(100, 'x/1')]);
    assert.not.equal(epochs[0], epochs[1]);
    assert.equal(
      epochOf(load(100, { batchSize: 7, seed: 'x' })).flat(),
      epochs[0],
      'other batches, same order',
    );
    assert.equal(
      epochOf(load(100, { batchSize: 32, seed: 7 })),
      epochOf(load(100, { batchSize: 32, seed: '7' })),
    );
  });

  test('a loader after seek continues as a loader that reached the position', () => {
    const first = load(50, { batchSize: 8, seed: 1 });
    epochOf(first);
    for (let i = 0; i < 3; i++) first.next();
    assert.equal(first.position, { epoch: 1, batch: 3 });
    const second = load(50, { batchSize: 8, seed: 1 });
    second.next(); // an order of another epoch is in use already
    second.seek(first.position);
    assert.equal(epochOf(second), epochOf(first));
    assert.equal(epochOf(second), epochOf(first), 'and in the next epoch');
    assert.equal(second.position, { epoch: 3, batch: 0 });
  });

  test('pixels are the float32 nearest to v / 255, and labels go with their pictures', () => {
    const loader = load(256, { batchSize: 256, seed: 5 });
    const { images, labels } = loader.next();
    assert.equal(images.shape, [256, 1, 2, 1]);
    const pixels = images.toTypedArray();
    permutation(256, '5/0').forEach((picture, i) => {
      assert.is(pixels[2 * i], Math.fround(picture / 255));
      assert.is(pixels[2 * i + 1], Math.fround((255 - picture) / 255));
      assert.is(labels[i], picture % 10);
    });
  });

  test('a batch is [b, height, width, channels], with the channels of a pixel side by side', () => {
    const images = Uint8Array.from({ length: 3 * 2 * 2 * 3 }, (_, i) => 5 * i);
    const set = createDataset({
      name: 'coloured',
      height: 2,
      width: 2,
      channels: 3,
      classes: 3,
      images,
      labels: Uint8Array.of(2, 1, 0),
    });
    const batch = new DataLoader(set, { batchSize: 2 }).next();
    assert.equal(batch.images.shape, [2, 2, 2, 3]);
    assert.equal(
      Array.from(batch.images.slice([1, 0, 1], [2, 1, 2]).toTypedArray(), (v) => Math.round(255 * v)),
      [15, 16, 17].map((i) => 5 * i),
      'the second picture, upper right',
    );
  });

  test('a batch belongs to the caller: the next batch does not change it', () => {
    const loader = load(12, { batchSize: 4 });
    const batches = [loader.next(), loader.next(), loader.next(), loader.next()];
    const firsts = batches.map(({ images, labels }) => [
      Math.round(255 * images.toTypedArray()[0]),
      labels[0],
    ]);
    assert.equal(firsts, [
      [0, 0],
      [4, 4],
      [8, 8],
      [0, 0],
    ]);
    batches[0].images.set(new Float32Array(8).fill(0.5));
    assert.is(batches[3].images.toTypedArray()[0], 0, 'and writing to it changes no other');
  });

  test('batches inside a scope are freed with it, outside by dispose(): memory is constant', () => {
    const loader = load(1000, { batchSize: 64, seed: 1 });
    const { heap } = backend();
    const inside = (): void =>
      scope(() => {
        const { images } = loader.next();
        assert.not(images.onHeap);
      });
    const outside = (): void => {
      const { images } = loader.next();
      assert.ok(images.onHeap);
      images.dispose();
    };
    for (const step of [inside, outside]) {
      step(); // the arena's first chunk
      const used = heap.usedBytes;
      for (let i = 0; i < 40; i++) step();
      assert.is(heap.usedBytes, used);
    }
  });

  test('invalid options of a loader are refused in one line', () => {
    for (const batchSize of [0, -1, 2.5, Number.NaN]) {
      refused(
        () => load(4, { batchSize }),
        ValueError,
        `loader: expected a batch size of 1 or more, got ${batchSize}`,
      );
    }
    refused(
      () => load(0, { batchSize: 4 }),
      ValueError,
      'loader: expected at least one picture in numbered, got 0',
    );
    refused(
      () => load(3, { batchSize: 4, dropLast: true }),
      ValueError,
      'loader: expected 4 pictures or more in numbered, got 3',
    );
    const loader = load(10, { batchSize: 4 });
    refused(
      () => loader.seek({ epoch: 0, batch: 3 }),
      ValueError,
      'loader: expected a batch from 0 to 2, got 3',
    );
    refused(
      () => loader.seek({ epoch: -1, batch: 0 }),
      ValueError,
      'loader: expected an epoch of 0 or more, got -1',
    );
  });

  test('strokes is the same set each time, and its two parts are independent', () => {
    const [a, b] = [loadStrokes({ train: 30, test: 20 }), loadStrokes({ train: 10, test: 20 })];
    assert.equal(a.test.images, b.test.images);
    assert.equal(a.train.images.subarray(0, 10 * 784), b.train.images);
    assert.not.equal(a.train.images.subarray(0, 784), a.test.images.subarray(0, 784));
    assert.not.equal(
      loadStrokes({ train: 1, test: 1, seed: 2 }).train.images,
      a.train.images.subarray(0, 784),
    );
    assert.equal([a.train.length, a.test.length, a.train.height, a.train.classes], [30, 20, 28, 10]);
  });
});
