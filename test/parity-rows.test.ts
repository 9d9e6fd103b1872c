/**
 * The kernels of rows and indices, called directly on both backends: softmax, gather and scatter, cumulative sums,
 * batches of products. The cases have all sizes, results that are added or not, NaN and infinities. Nothing is written
 * outside of the result.
 */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type IndexView, SOFTMAX } from '../src/backend/kernels.ts';
import { close, into, onBoth, ownReference, ownWasm, U, uniforms } from './helpers.ts';
import { SIZES } from './helpers-cases.ts';
import { suite } from './suite.ts';

/** The seed of the random tests: they are the same in every run. */
const RUNS = { seed: 20, numRuns: 150 };

/** Writes indices to an array of a call of `onBoth` that has the same number of elements. */
const writeIndices = (at: number, bytes: number, words: Int32Array) =>
  (bytes === 4 ? ownWasm() : ownReference()).writeWords(at, words);

/** n indices in [0, limit), the same for the same seed. */
const indices = (seed: string, n: number, limit: number) =>
  Int32Array.from(uniforms(seed, n, 0, limit), Math.floor);

suite('parity of kernels of rows and indices', (test) => {
  for (const name of SOFTMAX) {
    test(`${name} agrees at every width, and its gradient, summed and not`, () => {
      for (const cols of [...SIZES, 4095, 4100]) {
        for (const rows of cols > 100 ? [1] : [0, 1, 3]) {
          const n = rows * cols;
          const x = uniforms(`x${cols}`, n, -6, 6);
          const forward = onBoth([x, new Float32Array(n)], (k, [from, to]) =>
            k.softmax(name, { rows, cols, x: from, out: to }),
          );
          const roundings = 24 + Math.min(cols, 4096) / 16;
          close(
            forward.wasm[1],
            forward.reference[1],
            (i) => roundings * U * Math.abs(forward.reference[1][i]) + 8 * U,
            `${name} [${rows},${cols}]`,
          );
          const kept = name === 'softmax' ? forward.wasm[1] : x;
          for (const accumulate of [false, true]) {
            const arrays = [uniforms('dy', n), kept, new Float32Array(n), uniforms('out', n)];
            const both = onBoth(arrays, (k, [dy, from, scratch, to]) =>
              k.softmaxBackward(name, { rows, cols, dy, kept: from, scratch, out: into(to, accumulate) }),
            );
            close(
              both.wasm[3],
              both.reference[3],
              2 * roundings * U,
              `gradient of ${name} [${rows},${cols}]`,
            );
          }
        }
      }
    });

    test(`${name} does not overflow, and a row is correct beside a row with NaN`, () => {
      const rows = [
        [1000, 1000, -1000, 0, 2],
        [-Infinity, 0, 1, -Infinity, 3],
        [NaN, 0, 1, 2, 3],
        [Infinity, 0, 1, 2, 3],
        [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
        [3e38, -3e38, 0, 1, 2],
      ];
      const { wasm, reference } = onBoth([rows.flat(), new Float32Array(30)], (k, [x, out]) =>
        k.softmax(name, { rows: 6, cols: 5, x, out }),
      );
      close(wasm[1], Float32Array.from(reference[1]), 1e-3, name);
      const finite = (i: number) => !Array.from(wasm[1].subarray(5 * i, 5 * i + 5)).includes(NaN);
      assert.equal([0, 1, 2, 3, 4, 5].map(finite), [true, true, false, false, false, true]);
    });
  }

  test('gather takes the elements at the indices, and scatterAdd sums back in their order, for every layout', () => {
    const cases = fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom(0, 1, 2, 3, 5, 8, 17, 33),
      fc.constantFrom('rows', 'elements'),
      fc.boolean(),
    );
    fc.assert(
      fc.property(cases, ([outer, n, m, inner, layout, accumulate]) => {
        const count = layout === 'rows' ? m : outer * m * inner;
        const words = indices(`${outer} ${n} ${m}`, count, n);
        const index = (ptr: number): IndexView =>
          layout === 'rows'
            ? { ptr, outer: 0, row: 1, col: 0 }
            : { ptr, outer: m * inner, row: inner, col: 1 };
        const sizes = { outer, n, m, inner };
        const [x, y] = [uniforms('x', outer * n * inner), uniforms('y', outer * m * inner)];
        const taken = onBoth([x, new Float32Array(count), y], (k, [from, at, to], bytes) => {
          writeIndices(at, bytes, words);
          k.gather({ ...sizes, x: from, index: index(at), out: into(to, accumulate) });
        });
        const what = `${layout} [${outer},${n}->${m},${inner}]`;
        close(taken.wasm[2], taken.reference[2], accumulate ? 4 * U : 0, `gather ${what}`);
        const added = onBoth([x, new Float32Array(count), y], (k, [to, at, from], bytes) => {
          writeIndices(at, bytes, words);
          k.scatterAdd({ ...sizes, y: from, index: index(at), out: to });
        });
        close(added.wasm[0], added.reference[0], (m + 1) * (m + 1) * U, `scatterAdd ${what}`);
      }),
      RUNS,
    );
  });

  test('cumulative sums agree in both directions, summed and not', () => {
    const cases = fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom(...SIZES, 1000),
      fc.constantFrom(0, 1, 2, 3, 4, 5, 9),
      fc.boolean(),
      fc.boolean(),
    );
    fc.assert(
      fc.property(cases, ([outer, n, inner, reverse, accumulate]) => {
        const size = outer * n * inner;
        const both = onBoth([uniforms('x', size), uniforms('y', size)], (k, [x, out]) =>
          k.cumsum({ outer, n, inner, x, reverse, out: into(out, accumulate) }),
        );
        const exact = both.reference[1];
        close(both.wasm[1], exact, (i) => 2 * U * (1 + Math.abs(exact[i])), `[${outer},${n},${inner}]`);
      }),
      RUNS,
    );
  });

  test('a batch of products equals its single products, small and large, with each operand repeated or not', () => {
    const sizes = fc.tuple(
      fc.oneof(
        fc.tuple(...[20, 20, 20].map((max) => fc.integer({ min: 0, max }))),
        // Each of these has its own split between threads.
        fc.constantFrom([130, 130, 130]),
      ),
      fc.integer({ min: 0, max: 4 }),
    );
    const flags = fc.record({
      aT: fc.boolean(),
      bT: fc.boolean(),
      aRepeats: fc.boolean(),
      bRepeats: fc.boolean(),
      accumulate: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, flags, ([[m, n, k], batch], { aT, bT, aRepeats, bRepeats, accumulate }) => {
        const steps = { aStep: aRepeats ? 0 : m * k, bStep: bRepeats ? 0 : k * n, outStep: m * n };
        const arrays = [batch * m * k + m * k, batch * k * n + k * n, batch * m * n].map((size, i) =>
          uniforms(`operand ${i}`, size),
        );
        const { wasm, reference } = onBoth(arrays, (kernels, [a, b, c]) =>
          kernels.gemmBatch({
            ...{ batch, m, n, k, ...steps },
            a: { ptr: a, transposed: aT },
            b: { ptr: b, transposed: bT },
            out: into(c, accumulate),
          }),
        );
        const what = JSON.stringify({ batch, m, n, k, aT, bT, aRepeats, bRepeats, accumulate });
        close(wasm[2], reference[2], (k + 3) * U * (k + 1), what);
      }),
      { ...RUNS, numRuns: 60 },
    );
  });
});
