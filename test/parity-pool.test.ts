/**
 * Pooling and pixel shuffle, called directly on both backends. The cases have every kind of channel tail, odd maps,
 * batches of 0, 1 and 7, windows that overlap, leave gaps or go beyond the edges, and ties, infinities and NaN. Nothing
 * is written outside of the arrays.
 */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type PoolSizes, poolPlaces } from '../src/backend/kernels.ts';
import { close, into, onBoth, U, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

/** The seed of the random tests: they are the same in every run. */
const RUNS = { seed: 20, numRuns: 300 };

const side = fc
  .record({
    kernel: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    half: fc.boolean(),
    extra: fc.nat(6),
  })
  .map(({ kernel, stride, half, extra }) => {
    const padding = half ? Math.floor(kernel / 2) : 0;
    return { kernel, stride, padding, size: Math.max(1, kernel - 2 * padding) + extra };
  });

const sizes: fc.Arbitrary<PoolSizes> = fc
  .record({
    batch: fc.constantFrom(0, 1, 2, 7),
    channels: fc.constantFrom(1, 2, 3, 4, 5, 8, 17),
    y: side,
    x: side,
  })
  .map(({ batch, channels, y, x }) => ({
    ...{ batch, channels, height: y.size, width: x.size, kernelHeight: y.kernel, kernelWidth: x.kernel },
    ...{ strideHeight: y.stride, strideWidth: x.stride, paddingHeight: y.padding, paddingWidth: x.padding },
  }));

const elements = (s: PoolSizes) => [
  s.batch * s.height * s.width * s.channels,
  poolPlaces(s).reduce((h, w) => h * w, s.batch * s.channels),
];

suite('parity of poolings', (test) => {
  test('sums and means and their gradients agree, added and not, within the bound of a sum', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), fc.boolean(), (s, inside, accumulate) => {
        const [nx, ny] = elements(s);
        const record = { ...s, inside, alpha: Math.fround(0.3) };
        const what = JSON.stringify({ ...record, accumulate });
        const bound = (s.kernelHeight * s.kernelWidth + 4) * U * (s.kernelHeight * s.kernelWidth + 1);
        const forward = onBoth([uniforms('x', nx), uniforms('y', ny)], (k, [x, y]) =>
          k.averagePool({ ...record, x, out: into(y, accumulate) }),
        );
        close(forward.wasm[1], forward.reference[1], bound, what);
        const backward = onBoth([uniforms('dy', ny), uniforms('dx', nx)], (k, [dy, dx]) =>
          k.averagePoolBackward({ ...record, dy, out: into(dx, accumulate) }),
        );
        close(backward.wasm[1], backward.reference[1], bound, `gradient, ${what}`);
      }),
      RUNS,
    );
  });

  test('maxima are exact, and their gradients go to the same pixels, also with many equal values', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), fc.boolean(), (s, ties, accumulate) => {
        const [nx, ny] = elements(s);
        const x = ties ? uniforms('x', nx, -2, 2).map(Math.round) : uniforms('x', nx);
        const what = JSON.stringify({ ...s, ties, accumulate });
        const { wasm, reference } = onBoth([x, new Float32Array(ny)], (k, [x, y]) =>
          k.maxPool({ ...s, x, out: y }),
        );
        close(wasm[1], reference[1], 0, what);
        const arrays = [x, Float32Array.from(wasm[1]), uniforms('dy', ny), uniforms('dx', nx)];
        const backward = onBoth(arrays, (k, [x, y, dy, dx]) =>
          k.maxPoolBackward({ ...s, x, y, dy, out: into(dx, accumulate) }),
        );
        close(backward.wasm[3], backward.reference[3], 20 * U * 17, `gradient, ${what}`);
      }),
      RUNS,
    );
  });

  test('a NaN anywhere in a window is the largest and gets the gradient; -Infinity is an ordinary number', () => {
    const s = {
      ...{ batch: 1, height: 2, width: 10, channels: 5, kernelHeight: 2, kernelWidth: 2 },
      ...{ strideHeight: 2, strideWidth: 2, paddingHeight: 0, paddingWidth: 0 },
    };
    for (const where of [0, 1, 2, 3]) {
      const at = (Math.floor(where / 2) * 10 + 4 + (where % 2)) * 5;
      const x = uniforms('x', 100);
      for (let c = 0; c < 5; c++) x[at + c] = NaN;
      // All values in the last window are -Infinity.
      for (const pixel of [8, 9, 18, 19]) x.fill(-Infinity, 5 * pixel, 5 * pixel + 5);
      const { wasm, reference } = onBoth([x, new Float32Array(25)], (k, [x, y]) =>
        k.maxPool({ ...s, x, out: y }),
      );
      close(wasm[1], reference[1], 0, 'y');
      assert.ok(wasm[1].every((y, i) => Number.isNaN(y) === (i >= 10 && i < 15)));
      assert.ok(wasm[1].slice(20).every((y) => y === -Infinity));
      const arrays = [x, Float32Array.from(wasm[1]), new Float32Array(25).fill(1), new Float32Array(100)];
      const backward = onBoth(arrays, (k, [x, y, dy, dx]) =>
        k.maxPoolBackward({ ...s, x, y, dy, out: into(dx) }),
      );
      close(backward.wasm[3], backward.reference[3], 0, 'dx');
      for (let c = 0; c < 5; c++) {
        assert.is(backward.wasm[3][at + c], 1, `NaN at ${where}`);
        assert.is(backward.wasm[3][40 + c], 1, 'the first of -Infinity');
      }
    }
  });

  test('pixels are shuffled exactly, in both directions, added and not', () => {
    const shapes = fc.record({
      batch: fc.constantFrom(0, 1, 7),
      height: fc.constantFrom(1, 3),
      width: fc.constantFrom(1, 2, 5),
      channels: fc.constantFrom(1, 3, 4, 6, 9),
      factor: fc.constantFrom(1, 2, 3, 4),
    });
    fc.assert(
      fc.property(shapes, fc.boolean(), (s, accumulate) => {
        const n = s.batch * s.height * s.width * s.channels * s.factor ** 2;
        for (const name of ['pixelShuffle', 'pixelUnshuffle'] as const) {
          const { wasm, reference } = onBoth([uniforms('x', n), uniforms('y', n)], (k, [x, y]) =>
            k[name]({ ...s, x, out: into(y, accumulate) }),
          );
          close(wasm[1], reference[1], accumulate ? 2 * U : 0, `${name} ${JSON.stringify(s)}`);
        }
      }),
      RUNS,
    );
  });
});
