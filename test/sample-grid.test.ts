/**
 * Grids of samples: where their labels stand. The oracle is the same grid with the words as they should be. Grids with
 * other words have other pixels.
 */
import * as assert from 'uvu/assert';
import { type BatchGridOptions, pictureGridFromBatch } from '../src/image/grid.ts';
import { firstSamples, MOST_SHOWN, type Samples, sampleGrid } from '../src/models/sample-grid.ts';
import { suite } from './suite.ts';

const [HEIGHT, WIDTH] = [7, 5];

const samples = (labels: readonly (number | null)[], more: Partial<Samples> = {}): Samples => ({
  ...{ height: HEIGHT, width: WIDTH, labels },
  pictures: Float64Array.from({ length: labels.length * HEIGHT * WIDTH }, (_, i) => (i % 17) / 16),
  ...more,
});

type Words = Partial<Pick<BatchGridOptions, 'columnLabels' | 'rowLabels' | 'title' | 'captions'>>;

/** Labels in a grid of so many columns, and the words that the grid should have. */
const CASES: readonly (readonly [labels: (number | null)[], columns: number, words: Words])[] = [
  [[3, 3, 3], 2, { title: 'label 3' }],
  [[1, 2, 1, 2], 2, { columnLabels: ['1', '2'] }],
  [[1, 2, 1], 2, { columnLabels: ['1', '2'] }],
  [[1, 1, 2, 2], 2, { rowLabels: ['1', '2'] }],
  [[1, 1, 2], 2, { rowLabels: ['1', '2'] }],
  [[1, 2, 2, 1], 2, { title: 'labels, row by row: 1 2 2 1' }],
  [[0, 5, 6], 8, { columnLabels: ['0', '5', '6'] }],
  [[null, null], 2, {}],
  [[1, null], 2, {}],
  // Twelve labels fit in a title. Thirteen stand below their pictures.
  [[1, 2, 2, 1, 2, 1, 1, 2, 1, 2, 2, 1], 6, { title: 'labels, row by row: 1 2 2 1 2 1 1 2 1 2 2 1' }],
  [
    [1, 2, 2, 1, 2, 1, 1, 2, 1, 2, 2, 1, 0],
    12,
    { captions: [['1', '2', '2', '1', '2', '1', '1', '2', '1', '2', '2', '1'], ['0']] },
  ],
];

suite('sample grid', (test) => {
  test('equal labels are a title, labels of whole columns or rows stand beside them, others are listed', () => {
    for (const [labels, columns, words] of CASES) {
      const given = samples(labels);
      // Pictures of 7 pixels are enlarged to 56.
      const size = { height: HEIGHT, width: WIDTH, columns, scale: 8 };
      const expected = pictureGridFromBatch(given.pictures, { ...size, ...words });
      const got = sampleGrid(given, columns);
      const name = `${labels} in ${columns} columns`;
      assert.equal([got.width, got.height], [expected.width, expected.height], name);
      assert.ok(Buffer.from(got.pixels).equals(Buffer.from(expected.pixels)), name);
    }
  });

  test('texts of rows that are given take the place of the labels of rows', () => {
    const given = samples([1, 1, 2, 2], { rowLabels: ['a', 'b'] });
    const size = { height: HEIGHT, width: WIDTH, columns: 2, scale: 8 };
    const expected = pictureGridFromBatch(given.pictures, { ...size, rowLabels: ['a', 'b'] });
    assert.equal(sampleGrid(given, 2), expected);
  });

  test('the first samples keep their pictures, labels and captions, and fewer stay as they are', () => {
    const many = samples([0, 1, 2], { captions: ['a', 'b', 'c'] });
    assert.is(firstSamples(many, 3), many);
    const first = firstSamples(many, 2);
    assert.equal(
      [first.labels, first.captions],
      [
        [0, 1],
        ['a', 'b'],
      ],
    );
    assert.equal(first.pictures, many.pictures.slice(0, 2 * HEIGHT * WIDTH));
    assert.is(firstSamples(samples(Array(MOST_SHOWN + 1).fill(0))).labels.length, MOST_SHOWN);
  });
});
