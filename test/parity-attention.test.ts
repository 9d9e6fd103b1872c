/**
 * The attention kernel, called directly on both backends. The cases have odd numbers of tokens and channels, batches of
 * 1 and 7, self and cross attention, every kind of mask and of broadcasting, chunks of queries, and rows with gaps. NaN
 * and infinities stay in their rows. Nothing is written outside of the arrays. The error is within the bound that
 * assembly/attention/attention.ts states.
 */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { AttentionMask, Kernels, Ptr } from '../src/backend/kernels.ts';
import { close, onBoth, U, uniforms } from './helpers.ts';
import { suite } from './suite.ts';

/** The seed of the random tests: they are the same in every run. */
const RUNS = { seed: 20, numRuns: 150 };

const NO_MASK: AttentionMask = { ptr: 0, kind: 'none', batch: 0, head: 0, row: 0 };

const sizes = fc.record({
  batch: fc.constantFrom(0, 1, 2, 7),
  heads: fc.constantFrom(1, 2, 3),
  queries: fc.constantFrom(0, 1, 3, 4, 5, 8, 11, 13, 15, 49),
  keys: fc.constantFrom(0, 1, 2, 4, 7, 15, 49),
  dim: fc.constantFrom(1, 3, 4, 5, 8, 13, 32),
  valueDim: fc.constantFrom(1, 2, 3, 5, 8, 12, 20),
});
type Sizes = Readonly<Record<'batch' | 'heads' | 'queries' | 'keys' | 'dim' | 'valueDim', number>>;

const settings = fc.record({
  kind: fc.constantFrom('none', 'where', 'add'),
  causal: fc.boolean(),
  accumulate: fc.boolean(),
  scale: fc.constantFrom(0.5, 0.2, -0.4),
  /** The axes of a mask: a subset of batch, heads and queries. */
  own: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
});

/** Rows [tokens, heads·dim] without gaps. */
const rows = (ptr: Ptr, heads: number, dim: number) => ({ ptr, row: heads * dim });

/** The arrays of a case: q, k, v, mask, dy, y, and the gradients of q, k, v and the scores. */
function arraysOf({ batch, heads, queries, keys, dim, valueDim }: Sizes, kind: string) {
  const [nq, nk] = [batch * queries * heads, batch * keys * heads];
  const scores = batch * heads * queries * keys;
  const mask = uniforms('mask', scores).map((x) => (kind === 'where' ? Number(x > -0.3) : 3 * x));
  return [
    uniforms('q', nq * dim, -2, 2),
    uniforms('k', nk * dim, -2, 2),
    uniforms('v', nk * valueDim, -2, 2),
    mask,
    ...[uniforms('dy', nq * valueDim), uniforms('y', nq * valueDim)],
    ...[uniforms('dq', nq * dim), uniforms('dk', nk * dim), uniforms('dv', nk * valueDim)],
    uniforms('ds', scores),
  ];
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 1);

suite('parity of attention', (test) => {
  test('results and all gradients agree, summed and not, for every kind of mask', () => {
    fc.assert(
      fc.property(sizes, settings, (shape, { kind, causal, accumulate, scale, own }) => {
        const { heads, queries, keys, dim, valueDim } = shape;
        const record = ([q, k, v, mask]: readonly Ptr[]) => ({
          ...shape,
          ...{ causal, scale },
          q: rows(q, heads, dim),
          k: rows(k, heads, dim),
          v: rows(v, heads, valueDim),
          mask: {
            ptr: mask,
            kind: kind as AttentionMask['kind'],
            batch: own[0] ? heads * queries * keys : 0,
            head: own[1] ? queries * keys : 0,
            row: own[2] ? keys : 0,
          },
        });
        const { wasm, reference } = onBoth(arraysOf(shape, kind), (kernels, at) => {
          kernels.attention({ ...record(at), out: at[5] });
          const gradient = (i: number, width: number) => ({ ...rows(at[i], heads, width), accumulate });
          const [dq, dk, dv] = [gradient(6, dim), gradient(7, dim), gradient(8, valueDim)];
          kernels.attentionBackward({ ...record(at), dy: at[4], dq, dk, dv, ds: at[9] });
        });
        const what = JSON.stringify({ ...shape, kind, causal, accumulate, scale, own });
        for (const [i, name] of ['y', 'dq', 'dk', 'dv', 'ds'].entries()) {
          close(wasm[5 + i], reference[5 + i], 64 * U * largest(reference[5 + i]), `${name}, ${what}`);
        }
      }),
      RUNS,
    );
  });

  test('more queries than a chunk, and more keys than fit the cache, agree too', () => {
    for (const [queries, keys, causal] of [
      [256, 3, false],
      [257, 9, true],
      [517, 5, false],
      [3, 1025, false],
    ] as const) {
      const shape = { batch: 1, heads: 1, queries, keys, dim: 6, valueDim: 5 };
      const { wasm, reference } = onBoth(arraysOf(shape, 'none'), (kernels, at) => {
        const [q, k, v] = [rows(at[0], 1, 6), rows(at[1], 1, 6), rows(at[2], 1, 5)];
        const record = { ...shape, scale: 0.4, causal, q, k, v, mask: NO_MASK };
        kernels.attention({ ...record, out: at[5] });
        const gradient = (i: number, row: number) => ({ ptr: at[i], row, accumulate: true });
        const [dq, dk, dv] = [gradient(6, 6), gradient(7, 6), gradient(8, 5)];
        kernels.attentionBackward({ ...record, dy: at[4], dq, dk, dv, ds: at[9] });
      });
      for (let i = 5; i < 10; i++) {
        close(wasm[i], reference[i], 64 * U * largest(reference[i]), `array ${i}, ${queries}x${keys}`);
      }
    }
  });

  test('the error is within the stated bound of the kernel, also for large scores', () => {
    for (const reach of [1, 4, 12]) {
      const [queries, keys, dim, scale] = [49, 49, 32, 32 ** -0.5];
      const shape = { batch: 1, heads: 1, queries, keys, dim, valueDim: dim };
      const arrays = [
        uniforms('q', queries * dim, -reach, reach),
        uniforms('k', keys * dim, -reach, reach),
        uniforms('v', keys * dim),
        new Float32Array(queries * dim),
      ];
      const { wasm, reference } = onBoth(arrays, (k, at) => {
        const [q, key, v] = [0, 1, 2].map((i) => rows(at[i], 1, dim));
        k.attention({ ...shape, scale, causal: false, q, k: key, v, mask: NO_MASK, out: at[3] });
      });
      for (let i = 0; i < queries; i++) {
        const score = (j: number, f: (x: number) => number) =>
          scale *
          Array.from({ length: dim }, (_, c) => f(arrays[0][i * dim + c] * arrays[1][j * dim + c])).reduce(
            (sum, x) => sum + x,
          );
        const s = Array.from({ length: keys }, (_, j) => score(j, (x) => x));
        const most = Math.max(...s);
        const E = dim * U * Math.max(...s.map((_, j) => score(j, Math.abs)));
        const weights = s.map((x) => Math.exp(x - most));
        const total = weights.reduce((sum, x) => sum + x);
        const relative = 2 * E + (keys + 2 * (most - Math.min(...s)) + 10) * U;
        for (let c = 0; c < dim; c++) {
          const size = weights.reduce((sum, w, j) => sum + (w / total) * Math.abs(arrays[2][j * dim + c]), 0);
          const error = Math.abs(wasm[3][i * dim + c] - reference[3][i * dim + c]);
          assert.ok(error <= relative * size, `${reach}: row ${i}, error ${error}`);
        }
      }
    }
  });

  test('rows with gaps between them are read and written in place: queries, keys and values side by side', () => {
    const [batch, heads, n, dim] = [2, 2, 6, 3];
    const channels = heads * dim;
    const packed = uniforms('qkv', batch * n * 3 * channels, -2, 2);
    const dy = uniforms('dy', batch * n * channels);
    const call = (kernels: Kernels, [at, out, g, to]: readonly Ptr[], bytes: number) => {
      const side = (ptr: Ptr) =>
        [0, 1, 2].map((i) => ({ ptr: ptr + i * channels * bytes, row: 3 * channels }));
      const [q, k, v] = side(at);
      const sizes = { batch, heads, queries: n, keys: n, dim, valueDim: dim };
      const record = { ...sizes, scale: 1, causal: false, q, k, v, mask: NO_MASK };
      kernels.attention({ ...record, out });
      const [dq, dk, dv] = side(to).map((target) => ({ ...target, accumulate: false }));
      kernels.attentionBackward({ ...record, dy: g, dq, dk, dv, ds: null });
    };
    const { wasm, reference } = onBoth([packed, new Float32Array(dy.length), dy, packed], call);
    close(wasm[1], reference[1], 32 * U, 'y');
    close(wasm[3], reference[3], 32 * U * largest(reference[3]), 'gradient');
  });

  test('a gradient that is not requested is not written, and the others do not change', () => {
    const shape = { batch: 1, heads: 2, queries: 5, keys: 7, dim: 3, valueDim: 4 };
    const run = (wanted: (i: number) => boolean) =>
      onBoth(arraysOf(shape, 'none'), (kernels, at) => {
        const [q, k, v] = [rows(at[0], 2, 3), rows(at[1], 2, 3), rows(at[2], 2, 4)];
        const target = (i: number, dim: number) =>
          wanted(i) ? { ...rows(at[i], 2, dim), accumulate: false } : null;
        const [dq, dk, dv] = [target(6, 3), target(7, 3), target(8, 4)];
        const record = { ...shape, scale: 1, causal: false, q, k, v, mask: NO_MASK };
        kernels.attentionBackward({ ...record, dy: at[4], dq, dk, dv, ds: wanted(9) ? at[9] : null });
      });
    const [all, none] = [run(() => true), run(() => false)];
    for (const i of [6, 7, 8, 9]) {
      const only = run((j) => j === i);
      for (const j of [6, 7, 8, 9]) {
        assert.equal(only.wasm[j], (j === i ? all : none).wasm[j]);
        assert.equal(only.reference[j], (j === i ? all : none).reference[j]);
      }
    }
  });

  test('a query whose keys are all masked gets zeros and no gradient; NaN and infinity stay in their rows', () => {
    const shape = { batch: 1, heads: 1, queries: 6, keys: 3, dim: 2, valueDim: 2 };
    const arrays = arraysOf(shape, 'add');
    // All keys of query 0 are masked; query 1 has a score of NaN, query 2 one of +inf; a score of -inf masks one key.
    arrays[3].set([-Infinity, -Infinity, -Infinity, NaN, 0, 0, 0, Infinity, 0, 0, -Infinity, 0]);
    const { wasm, reference } = onBoth(arrays, (kernels, at) => {
      const [q, k, v] = [0, 1, 2].map((i) => rows(at[i], 1, 2));
      const mask: AttentionMask = { ptr: at[3], kind: 'add', batch: 0, head: 0, row: 3 };
      const record = { ...shape, scale: 0.5, causal: false, q, k, v, mask };
      kernels.attention({ ...record, out: at[5] });
      const dq = { ...rows(at[6], 1, 2), accumulate: false };
      kernels.attentionBackward({ ...record, dy: at[4], dq, dk: null, dv: null, ds: at[9] });
    });
    for (const i of [5, 6, 9]) close(wasm[i], reference[i], 32 * U, `array ${i}`);
    for (const { 5: y, 6: dq } of [wasm, reference]) {
      assert.equal([...y.slice(0, 2), ...dq.slice(0, 2)], [0, 0, 0, 0]);
      assert.ok(y.slice(2, 6).every(Number.isNaN));
      assert.ok(y.slice(6).every(Number.isFinite));
    }
  });

  test('a single query, whose keys are lanes, keeps NaN and infinity too, and uses exactly its keys', () => {
    for (const keys of [1, 2, 3, 4, 5, 17]) {
      for (const [place, value] of [
        [0, 0.5],
        [0, NaN],
        [keys - 1, Infinity],
        [keys - 1, -Infinity],
      ] as const) {
        const shape = { batch: 1, heads: 1, queries: 1, keys, dim: 1, valueDim: 5 };
        const arrays = arraysOf(shape, 'none');
        arrays[0][0] = 2;
        arrays[1][place] = value;
        const { wasm, reference } = onBoth(arrays, (kernels, at) => {
          const [q, k, v] = [rows(at[0], 1, 1), rows(at[1], 1, 1), rows(at[2], 1, 5)];
          kernels.attention({ ...shape, scale: 0.5, causal: false, q, k, v, mask: NO_MASK, out: at[5] });
        });
        close(wasm[5], reference[5], 32 * U, `${keys} keys, one of them ${value}`);
      }
    }
  });
});
