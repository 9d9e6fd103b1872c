/**
 * Shifts, rotations and flips of pictures. The oracles are permutations of indices for whole pixels and 90°, a linear
 * ramp, which bilinear interpolation reproduces, and small examples.
 */
import * as assert from 'uvu/assert';
import { createDataset } from '../src/data/dataset.ts';
import { DataLoader } from '../src/data/loader.ts';
import { affineSample, flip, randomAffine, rotate, shift } from '../src/data/transforms.ts';
import { ShapeError, ValueError } from '../src/errors.ts';
import { Rng } from '../src/random/rng.ts';
import { tensor } from '../src/tensor/create.ts';
import type { Tensor } from '../src/tensor/tensor.ts';
import { close, onBackend, refused, uniforms } from './helpers.ts';
import { onEach } from './helpers-optim.ts';
import { suite } from './suite.ts';

/** Random pictures; none of their numbers is 0. */
const pictures = (shape: readonly number[]) =>
  tensor(
    uniforms(
      'pictures',
      shape.reduce((n, size) => n * size),
      0.5,
      1,
    ),
    shape,
  );

/** Pictures whose pixel (i, j) is the pixel of `x` at `from(i, j)`, or 0 if that is outside. */
function permuted(x: Tensor, from: (i: number, j: number) => readonly [number, number]): number[] {
  const [batch, height, width, channels] = x.shape;
  const values = x.toTypedArray();
  const result: number[] = [];
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let c = 0; c < channels; c++) {
          const [u, v] = from(i, j);
          const inside = u >= 0 && u < height && v >= 0 && v < width;
          result.push(inside ? values[((b * height + u) * width + v) * channels + c] : 0);
        }
  return result;
}

const valuesOf = (x: Tensor) => Array.from(x.toTypedArray());

suite('transforms of pictures', (test) => {
  test('a shift by whole pixels copies them exactly, and new pixels are 0', () => {
    onEach(() => {
      const x = pictures([2, 5, 7, 3]);
      for (const [right, down] of [
        [0, 0],
        [2, 0],
        [0, -3],
        [-1, 1],
        [6, 4],
        [7, 0],
        [0, 50],
      ]) {
        assert.equal(
          valuesOf(shift(x, right, down)),
          permuted(x, (i, j) => [i - down, j - right]),
        );
      }
    });
  });

  test('rotations by 90° permute the pixels of a square exactly, counter-clockwise', () => {
    onEach(() => {
      for (const n of [1, 4, 5, 28]) {
        const x = pictures([2, n, n, 2]);
        // Counter-clockwise: the right edge of the picture becomes the top row.
        const quarter = permuted(x, (i, j) => [j, n - 1 - i]);
        const half = permuted(x, (i, j) => [n - 1 - i, n - 1 - j]);
        const three = permuted(x, (i, j) => [n - 1 - j, i]);
        for (const [degrees, expected] of [
          [0, valuesOf(x)],
          [90, quarter],
          [-270, quarter],
          [180, half],
          [-180, half],
          [270, three],
          [-90, three],
          [360 * 1000 + 90, quarter],
          [-720, valuesOf(x)],
        ] as const) {
          assert.equal(valuesOf(rotate(x, degrees)), expected, `${degrees} degrees of ${n}x${n}`);
        }
      }
      const wide = pictures([1, 3, 6, 1]);
      assert.equal(
        valuesOf(rotate(wide, 180)),
        permuted(wide, (i, j) => [2 - i, 5 - j]),
      );
    });
  });

  test('flips exchange columns or rows exactly, and two flips are the identity', () => {
    const x = pictures([2, 3, 4, 2]);
    assert.equal(
      valuesOf(flip(x, 'horizontal')),
      permuted(x, (i, j) => [i, 3 - j]),
    );
    assert.equal(
      valuesOf(flip(x, 'vertical')),
      permuted(x, (i, j) => [2 - i, j]),
    );
    assert.equal(valuesOf(flip(flip(x, 'vertical'), 'vertical')), valuesOf(x));
  });

  test('any map reproduces a linear ramp inside of the picture', () => {
    onEach((tolerance) => {
      const [height, width] = [9, 11];
      const ramp = (row: number, column: number) => 2 * row - 3 * column + 0.5;
      const x = tensor(
        Array.from({ length: height * width }, (_, p) => ramp(Math.floor(p / width), p % width)),
        [1, height, width, 1],
      );
      const maps = [
        [1, 0, 0.37, 0, 1, -0.81],
        [0.8, -0.3, 2.1, 0.4, 0.7, 0.33],
        [-0.5, 0.25, 8, 0.1, -0.6, 7.5],
        [0, 0, 4.25, 0, 0, 6.5],
      ];
      for (const m of maps) {
        const y = valuesOf(affineSample(x, m));
        let inside = 0;
        for (const [p, value] of y.entries()) {
          const [i, j] = [Math.floor(p / width), p % width];
          const [column, row] = [m[0] * j + m[1] * i + m[2], m[3] * j + m[4] * i + m[5]];
          if (column < 0 || column > width - 1 || row < 0 || row > height - 1) continue;
          inside++;
          close([value], [ramp(row, column)], 40 * tolerance, `${m} at ${i}, ${j}`);
        }
        assert.ok(inside > 20, `${inside} pixels are inside`);
      }
    });
  });

  test('a shift by half a pixel is the mean of neighbours, with zeros outside', () => {
    onEach((tolerance) => {
      const x = tensor([1, 2, 4], [1, 1, 3, 1]);
      close(valuesOf(shift(x, 0.5, 0)), [0.5, 1.5, 3], tolerance, 'to the right');
      close(valuesOf(shift(x, -0.25, 0)), [1.25, 2.5, 3], tolerance, 'to the left');
      close(valuesOf(shift(x, 0, 0.75)), [0.25, 0.5, 1], tolerance, 'down');
      close(valuesOf(shift(x, 0.5, 0.5)), [0.25, 0.75, 1.5], tolerance, 'both');
    });
  });

  test('the gradient of a shift is the opposite shift', () => {
    onEach(() => {
      const x = pictures([2, 4, 5, 2]).requireGrad();
      const w = pictures([2, 4, 5, 2]).mul(3).detach();
      shift(x, 2, -1).mul(w).sum().backward();
      assert.equal(valuesOf(x.grad!), valuesOf(shift(w, -2, 1)));
    });
  });

  test('a NaN pixel affects its neighbours only, and not through a weight of 0', () => {
    onEach(() => {
      const x = tensor([1, NaN, 3, Infinity], [1, 1, 4, 1]);
      assert.equal(valuesOf(shift(x, 1, 0)), [0, 1, NaN, 3]);
      assert.equal(valuesOf(shift(x, 0, 1)), [0, 0, 0, 0]);
      assert.equal(valuesOf(shift(x, 0.5, 0)), [0.5, NaN, NaN, Infinity]);
    });
  });

  test('random maps without options do not change pictures', () => {
    onEach(() => {
      const x = pictures([5, 6, 6, 1]);
      assert.equal(valuesOf(randomAffine(x, new Rng(0))), valuesOf(x));
    });
  });

  test('random motions have the ranges and the probabilities of their options', () => {
    const n = 400;
    // A picture whose values are its column and row numbers: they show the origin of a pixel.
    const [height, width] = [21, 31];
    const base = Array.from({ length: height * width }, (_, p) => [
      1 + (p % width),
      1 + Math.floor(p / width),
    ]);
    const x = tensor(Float32Array.from(Array(n).fill(base.flat()).flat()), [n, height, width, 2]);
    const centre = (y: Tensor) => {
      const values = y.toTypedArray();
      return Array.from({ length: n }, (_, b) => {
        const at = (b * height * width + 10 * width + 15) * 2;
        return { column: values[at] - 1, row: values[at + 1] - 1, right: values[at + 2] - values[at] };
      });
    };
    const moved = centre(randomAffine(x, new Rng(1), { translate: [0.25, 0.4] }));
    const columns = moved.map(({ column }) => column);
    const rows = moved.map(({ row }) => row);
    assert.ok([...columns, ...rows].every(Number.isInteger), 'whole pixels');
    // 0.25·31 = 7.75 and 0.4·21 = 8.4: up to 8 pixels either way.
    assert.equal([Math.min(...columns), Math.max(...columns)], [7, 23]);
    assert.equal([Math.min(...rows), Math.max(...rows)], [2, 18]);
    // In a flipped picture the column numbers decrease from left to right.
    const mirrored = centre(randomAffine(x, new Rng(2), { flip: 0.25 })).filter(({ right }) => right < 0);
    assert.ok(
      Math.abs(mirrored.length - 100) < 3.3 * Math.sqrt(75),
      `${mirrored.length} of 400 are mirrored`,
    );
    const both = centre(randomAffine(x, new Rng(5), { flip: 0.5, translate: [0, 0.4] }));
    const mirroredRows = both.filter(({ right }) => right < 0).map(({ row }) => row - 10);
    const drift = mirroredRows.reduce((sum, row) => sum + row / mirroredRows.length, 0);
    assert.ok(
      Math.abs(drift) < (3.3 * 16.8) / Math.sqrt(12 * 200),
      `mirrored pictures move down by ${drift}`,
    );
    // A step to the right in the result is cos θ/s columns in the picture.
    const scales = centre(randomAffine(x, new Rng(3), { scale: [0.5, 2] })).map(({ right }) => 1 / right);
    close([Math.min(...scales), Math.max(...scales)], [0.5, 2], 0.02, 'scales');
    const turns = centre(randomAffine(x, new Rng(4), { degrees: [20, 60] })).map(({ right }) => right);
    const degrees = turns.map((cosine) => (Math.acos(cosine) * 180) / Math.PI);
    close([Math.min(...degrees), Math.max(...degrees)], [20, 60], 0.5, 'turns');
    const mean = degrees.reduce((sum, d) => sum + d / n, 0);
    assert.ok(Math.abs(mean - 40) < (3.3 * 40) / Math.sqrt(12 * n), `a mean turn of ${mean}`);
  });

  test('a motion is the flip, then rotation and scale, then the shift', () => {
    onEach((tolerance) => {
      const x = pictures([1, 9, 9, 1]);
      const options = { degrees: [90, 90], flip: 1, translate: [0.3, 0.3] } as const;
      for (const seed of [0, 1, 2]) {
        const [, , across, down] = new Rng(seed).bits(5);
        const [right, below] = [across, down].map((word) => Math.round((2 * (word / 2 ** 32) - 1) * 0.3 * 9));
        const expected = shift(rotate(flip(x, 'horizontal'), 90), right, below);
        close(valuesOf(randomAffine(x, new Rng(seed), options)), valuesOf(expected), tolerance, 'motion');
      }
      // With scale 2 pixel 4 + k is the picture's value at 4 + k/2.
      const large = randomAffine(x, new Rng(0), { scale: [2, 2] });
      const half = affineSample(x, [0.5, 0, 2, 0, 0.5, 2]);
      assert.equal(valuesOf(large), valuesOf(half));
    });
  });

  test('an option changes no other option’s draws, and both backends draw the same motions', () => {
    const x = pictures([6, 8, 8, 1]);
    const moved = (options: object) => randomAffine(x, new Rng('draws'), options);
    const plain = valuesOf(moved({ translate: [0.3, 0.3] }));
    const mirrored = valuesOf(moved({ translate: [0.3, 0.3], flip: 1 }));
    const reflected = valuesOf(
      randomAffine(flip(x, 'horizontal'), new Rng('draws'), { translate: [0.3, 0.3] }),
    );
    assert.equal(mirrored, reflected);
    assert.not.equal(mirrored, plain);
    const options = { degrees: 30, translate: [0.2, 0.2], scale: [0.8, 1.2], flip: 0.5 } as const;
    const [wasm, reference] = (['wasm', 'reference'] as const).map((on) =>
      onBackend(on, () => valuesOf(randomAffine(pictures([6, 8, 8, 1]), new Rng(7), options))),
    );
    close(wasm, reference, 1e-5, 'backends');
  });

  test('a loader with random motions continues with the same bits after a resume', () => {
    const images = Uint8Array.from({ length: 20 * 36 }, (_, i) => (7 * i) % 256);
    const set = createDataset({
      name: 'set',
      height: 6,
      width: 6,
      classes: 1,
      images,
      labels: new Uint8Array(20),
    });
    const load = () =>
      new DataLoader(set, {
        batchSize: 8,
        seed: 3,
        transform: (x, rng) => randomAffine(x, rng, { degrees: 20, translate: [0.2, 0.2], flip: 0.5 }),
      });
    const first = load();
    const all = [...first, ...first, ...first].map((batch) => valuesOf(batch.images));
    const second = load();
    second.seek({ epoch: 1, batch: 2 });
    assert.equal(valuesOf(second.next().images), all[5]);
    assert.equal(valuesOf(second.next().images), all[6]);
    assert.not.equal(all[0], all[3]);
  });

  test('arguments that cannot be transformed are refused in one line', () => {
    const x = pictures([2, 3, 4, 1]);
    const flat = x.reshape(2, 12);
    const shape = 'expected pictures [batch, height, width, channels], got shape [2,12]';
    refused(() => shift(flat, 1, 1), ShapeError, `shift: ${shape}`);
    refused(() => rotate(flat, 1), ShapeError, `rotate: ${shape}`);
    refused(() => flip(flat, 'vertical'), ShapeError, `flip: ${shape}`);
    refused(() => randomAffine(flat, new Rng(0)), ShapeError, `randomAffine: ${shape}`);
    refused(() => affineSample(flat, []), ShapeError, `affineSample: ${shape}`);
    refused(
      () => affineSample(x, [1, 0, 0, 0, 1, 0]),
      ShapeError,
      'affineSample: expected 6 numbers for each of 2 pictures, got 6',
    );
    const bad = [1, 0, 0, 0, 1, 0, 1, 0, NaN, 0, 1, 0];
    refused(
      () => affineSample(x, bad),
      ValueError,
      'affineSample: expected finite numbers in matrices, got NaN',
    );
    refused(() => shift(x, Infinity, 0), ValueError, 'shift: expected a finite right, got Infinity');
    refused(() => rotate(x, NaN), ValueError, 'rotate: expected a finite degrees, got NaN');
    refused(
      () => flip(x, 'horizontl' as 'horizontal'),
      ValueError,
      'flip: expected horizontal or vertical, got "horizontl". Did you mean "horizontal"?',
    );
    const random = (options: object) => () => randomAffine(x, new Rng(0), options);
    const line = 'randomAffine: expected';
    refused(
      random({ degrees: -5 }),
      ValueError,
      `${line} degrees to be a range of finite numbers, got 5 to -5`,
    );
    refused(
      random({ scale: [0, 1] }),
      ValueError,
      `${line} scale to be a range of finite numbers > 0, got 0 to 1`,
    );
    refused(
      random({ scale: [2, 1] }),
      ValueError,
      `${line} scale to be a range of finite numbers > 0, got 2 to 1`,
    );
    refused(
      random({ translate: [0, 1.5] }),
      ValueError,
      `${line} translate to be a range within [0, 1], got 0 to 1.5`,
    );
    refused(random({ flip: -1 }), ValueError, `${line} flip to be a range within [0, 1], got 0 to -1`);
    refused(
      () => randomAffine(x, 3 as never),
      ValueError,
      'randomAffine: expected a generator such as new Rng(0), got 3',
    );
  });
});
