/**
 * Group normalisation, called directly on both backends. The cases have every kind of channel tail, one channel per
 * group and one group, odd maps, batches of 1 and 7, and parameters or none; also large means, and NaN in one picture.
 * Nothing is written outside of the arrays.
 */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { close, into, onBoth, U, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

/** The seed of the random tests: they are the same in every run. */
const RUNS = { seed: 20, numRuns: 150 };

const sizes = fc
  .record({
    batch: fc.constantFrom(0, 1, 2, 7),
    height: fc.constantFrom(1, 3, 5),
    width: fc.constantFrom(1, 2, 5, 9),
    groups: fc.constantFrom(1, 2, 3, 8),
    size: fc.constantFrom(1, 2, 3, 4, 7, 16),
  })
  .map(({ batch, height, width, groups, size }) => ({
    batch,
    positions: height * width,
    run: width,
    channels: groups * size,
    groups,
  }));
const flags = fc.record({
  silu: fc.boolean(),
  weight: fc.boolean(),
  bias: fc.boolean(),
  accumulate: fc.boolean(),
});

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 1);

suite('parity of group normalisation', (test) => {
  test('results and all gradients agree, summed and not, with and without parameters', () => {
    fc.assert(
      fc.property(sizes, flags, (shape, { silu, weight, bias, accumulate }) => {
        const { batch, channels, positions } = shape;
        const n = batch * positions * channels;
        const arrays = [
          uniforms('x', n, -2, 3),
          uniforms('weight', channels, 0.5, 2),
          uniforms('bias', channels),
          uniforms('dy', n),
          uniforms('out', n),
          new Float32Array(2 * batch * channels),
        ];
        const record = (x: number, w: number, b: number) => ({
          ...{ ...shape, eps: 0.01, silu, x, weight: weight ? w : null, bias: bias ? b : null },
        });
        const what = JSON.stringify({ ...shape, silu, weight, bias, accumulate });
        const forward = onBoth(arrays, (k, [x, w, b, , out]) => k.groupNorm({ ...record(x, w, b), out }));
        close(forward.wasm[4], forward.reference[4], 64 * U, what);
        const backward = onBoth(arrays, (k, [x, w, b, dy, out, sums]) =>
          k.groupNormBackward({ ...record(x, w, b), dy, sums, out: into(out, accumulate) }),
        );
        const { wasm, reference } = backward;
        close(wasm[4], reference[4], 64 * U * largest(reference[4]), `gradient, ${what}`);
        close(wasm[5], reference[5], 64 * U * largest(reference[5]), `gradients of parameters, ${what}`);
      }),
      RUNS,
    );
  });

  test('a gradient that is not requested is not written', () => {
    const shape = { batch: 2, positions: 6, run: 3, channels: 5, groups: 1, eps: 1e-5, silu: true };
    const arrays = [uniforms('x', 60), uniforms('dy', 60), new Float32Array(60), new Float32Array(20)];
    const common = { ...shape, weight: null, bias: null };
    const { wasm } = onBoth(arrays, (k, [x, dy, , sums]) =>
      k.groupNormBackward({ ...common, x, dy, sums, out: null }),
    );
    assert.ok(wasm[3].some((value) => value !== 0));
    const other = onBoth(arrays, (k, [x, dy, out]) =>
      k.groupNormBackward({ ...common, x, dy, sums: null, out: into(out) }),
    );
    assert.ok(other.wasm[2].some((value) => value !== 0));
    assert.ok(other.wasm[3].every((value) => value === 0));
  });

  test('a mean a thousand times the deviation costs three digits and no more', () => {
    const shape = { batch: 1, positions: 784, run: 28, channels: 8, groups: 2, eps: 1e-5, silu: false };
    const x = uniforms('x', 784 * 8, 999, 1001);
    const { wasm, reference } = onBoth([x, new Float32Array(x.length)], (k, [from, out]) =>
      k.groupNorm({ ...shape, x: from, weight: null, bias: null, out }),
    );
    close(wasm[1], reference[1], 4 * 1000 * U, 'y');
  });

  test('SiLU keeps its limits at both ends, and NaN stays in its picture', () => {
    const shape = { batch: 2, positions: 4, run: 2, channels: 4, groups: 4, eps: 0, silu: true };
    const ramp = Float32Array.from({ length: 32 }, (_, i) => i % 7);
    ramp[3] = NaN;
    // Scales so large that |z| is above 87.
    const weight = Float32Array.of(1, 60, 1000, 1e30);
    const { wasm, reference } = onBoth([ramp, weight, new Float32Array(32)], (k, [x, w, out]) =>
      k.groupNorm({ ...shape, x, weight: w, bias: null, out }),
    );
    close(wasm[2], reference[2], (i) => 64 * U * Math.max(1, Math.abs(reference[2][i])), 'y');
    const lost = Array.from(wasm[2].keys()).filter((i) => Number.isNaN(wasm[2][i]));
    assert.equal(lost, [3, 7, 11, 15]);
  });
});
