/** Parts of a data set: views, shuffles and wrong arguments. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { createDataset, type Dataset, permutation, split, subset, take } from '../src/data/dataset.ts';
import { ValueError } from '../src/errors.ts';
import { suite } from './suite.ts';

/** `n` pictures of 1x2. Picture i has the values [i, 255 - i] and the label i mod 10. */
function numbered(n: number): Dataset {
  const images = Uint8Array.from({ length: 2 * n }, (_, i) => (i % 2 ? 255 - (i >> 1) : i >> 1));
  const labels = Uint8Array.from({ length: n }, (_, i) => i % 10);
  return createDataset({ name: 'numbered', height: 1, width: 2, classes: 10, images, labels });
}

const numbersOf = ({ images }: Dataset) => Array.from(images.filter((_, i) => i % 2 === 0));

function refused(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error: Error) => error instanceof ValueError && message.test(error.message));
}

suite('dataset', (test) => {
  test('a data set whose fields do not fit is refused', () => {
    const good = {
      name: 'd',
      height: 1,
      width: 2,
      classes: 3,
      images: new Uint8Array(4),
      labels: Uint8Array.of(0, 2),
    };
    assert.equal([createDataset(good).length, createDataset(good).channels], [2, 1]);
    refused(
      () => createDataset({ ...good, channels: 3 }),
      /d: expected 2·1·2·3 = 12 bytes for 2 labels, got 4/,
    );
    refused(() => createDataset({ ...good, channels: 0 }), /d: channels: expected a whole number, 1 or more/);
    refused(() => createDataset({ ...good, width: 3 }), /d: expected 2·1·3·1 = 6 bytes for 2 labels, got 4/);
    refused(() => createDataset({ ...good, classes: 2 }), /d: expected labels below 2, got 2 at 1/);
    refused(
      () => createDataset({ ...good, height: 0.5 }),
      /height: expected a whole number, 1 or more, got 0.5/,
    );
    refused(() => createDataset({ ...good, height: -1, width: -2 }), /height/);
    refused(() => createDataset({ ...good, classes: 257 }), /classes: .* from 1 to 256, got 257/);
  });

  test('a subset and a limit are views, not copies', () => {
    const all = numbered(10);
    const part = subset(all, 3, 6);
    assert.equal([part.length, ...part.labels], [3, 3, 4, 5]);
    assert.equal(numbersOf(part), [3, 4, 5]);
    assert.is(part.images.buffer, all.images.buffer);
    assert.equal(numbersOf(subset(part, 1, 2)), [4]);
    assert.is(subset(all, 10, 10).length, 0);
    assert.equal(numbersOf(take(all, 2)), [0, 1]);
    assert.is(take(all, 99).length, 10);
    assert.is(take(all, 2).images.buffer, all.images.buffer);
  });

  test('parts of a colour set contain whole pixels', () => {
    const images = Uint8Array.from({ length: 10 * 2 * 3 }, (_, i) => Math.floor(i / 6));
    const labels = Uint8Array.from({ length: 10 }, (_, i) => i);
    const all = createDataset({
      name: 'coloured',
      height: 2,
      width: 1,
      channels: 3,
      classes: 10,
      images,
      labels,
    });
    const { train, test: rest } = split(all, 0.5, 1);
    for (const part of [subset(all, 2, 5), take(all, 3), train, rest]) {
      assert.equal(
        [...part.images],
        [...part.labels].flatMap((label) => Array(6).fill(label)),
      );
    }
  });

  test('bounds outside of a data set are refused', () => {
    const all = numbered(10);
    refused(() => subset(all, -1, 3), /numbered: start of a subset: .* from 0 to 10, got -1/);
    refused(() => subset(all, 3, 11), /end of a subset: .* from 3 to 10, got 11/);
    refused(() => subset(all, 3, 2), /end of a subset/);
    refused(() => subset(all, 0.5, 2), /start of a subset/);
    refused(() => take(all, 0), /limit: expected a whole number, 1 or more, got 0/);
    refused(() => take(all, Number.NaN), /got NaN/);
    for (const fraction of [-0.1, 1.1, Number.NaN]) refused(() => split(all, fraction, 1), /from 0 to 1/);
    refused(() => permutation(-1, 1), /permutation/);
  });

  test('a permutation has every number once and depends on the seed only', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.string(), (n, seed) => {
        const order = permutation(n, seed);
        assert.equal(
          Array.from(order).sort((a, b) => a - b),
          Array.from({ length: n }, (_, i) => i),
        );
        assert.equal(permutation(n, seed), order);
      }),
    );
    assert.equal(permutation(50, 7), permutation(50, '7'));
    assert.not.equal(permutation(50, 7), permutation(50, 8));
    assert.equal(permutation(0, 1), new Uint32Array(0));
  });

  test('every order of four is equally likely', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 4800; seed++) {
      const order = permutation(4, seed).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assert.is(counts.size, 24);
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
    assert.ok(chi2 < 49.7, `chi-square with 23 degrees of freedom: ${chi2}, 0.1 % lie above 49.7`);
  });

  test('a split has every picture once with its label, and depends on the seed', () => {
    const all = numbered(100);
    const { train, test: rest } = split(all, 0.8, 'seed');
    assert.equal([train.length, rest.length], [80, 20]);
    const numbers = [...numbersOf(train), ...numbersOf(rest)];
    assert.not.equal(numbers.slice(0, 80), numbersOf(subset(all, 0, 80)));
    assert.equal(
      numbers.sort((a, b) => a - b),
      numbersOf(all),
    );
    for (const { images, labels } of [train, rest]) {
      labels.forEach((label, i) => {
        assert.equal([label, images[2 * i + 1]], [images[2 * i] % 10, 255 - images[2 * i]]);
      });
    }
    assert.equal(split(all, 0.8, 'seed').train.images, train.images);
    assert.not.equal(split(all, 0.8, 'other').train.images, train.images);
    assert.equal([split(all, 0, 1).train.length, split(all, 1, 1).test.length], [0, 0]);
    assert.is(split(numbered(3), 0.5, 1).train.length, 2);
  });
});
