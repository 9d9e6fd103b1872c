/**
 * Kernels of rows and indices:
 *
 *     softmax, log-softmax   with their gradients
 *     gather, scatterAdd     for an embedding with 1000 rows and 64 sentences of 49 tokens
 *     cumsum                 cumulative sums
 *     batches of products    the two products of attention, with 4 heads and 49 tokens
 *
 * Twins: loops over Float32Array. Roof: a plain copy, and for products the multiply-add peak.
 */
import { SOFTMAX, type SoftmaxName } from '../src/backend/kernels.ts';
import type { Make, Subject } from './subject.ts';
import * as twins from './twins.ts';
import { cumsum, gatherRows, scatterRows, softmax, softmaxBackward } from './twins-rows.ts';

const [ROWS, COLS] = [64, 784];
const TABLE = { rows: 1000, taken: 64 * 49, features: 64 };
const ATTENTION = { batch: 64 * 4, places: 49, size: 16 };
const into = (ptr: number) => ({ ptr, accumulate: false });

const softmaxCase =
  (name: SoftmaxName): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const n = ROWS * COLS;
    const [x, y] = [memory.array(n), memory.array(n)];
    return {
      name,
      shape: `${ROWS}x${COLS}`,
      elements: n,
      bytes: 8 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.softmax(name, { rows: ROWS, cols: COLS, x: x.ptr, out: y.ptr }),
      twin: () => softmax(name, ROWS, COLS, x.twin, y.twin),
    };
  };

const softmaxBackwardCase =
  (name: SoftmaxName): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const n = ROWS * COLS;
    const [dy, kept, dx] = [memory.array(n), memory.array(n), memory.array(n)];
    const record = { rows: ROWS, cols: COLS, dy: dy.ptr, kept: kept.ptr, scratch: memory.block(n) };
    return {
      name: `${name}Backward`,
      shape: `${ROWS}x${COLS}`,
      elements: n,
      bytes: 12 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.softmaxBackward(name, { ...record, out: into(dx.ptr) }),
      twin: () => softmaxBackward(name, ROWS, COLS, dy.twin, kept.twin, dx.twin),
    };
  };

/** Gathers rows of a table by index, or adds gradients to these rows. */
const lookup =
  (name: 'gather' | 'scatterAdd'): Make =>
  (memory) => {
    const { kernels, writeWords } = memory.backend;
    const { rows: n, taken: m, features: inner } = TABLE;
    const words = Int32Array.from({ length: m }, (_, i) => (i * 389) % n);
    const index = { ptr: memory.block(m), outer: 0, row: 1, col: 0 };
    writeWords(index.ptr, words);
    const [table, picked] = [memory.array(n * inner), memory.array(m * inner)];
    const sizes = { outer: 1, n, m, inner, index };
    return {
      name: `${name} rows`,
      shape: `${n}x${inner} ${m}`,
      elements: m * inner,
      bytes: (name === 'gather' ? 8 : 12) * m * inner,
      roof: memory.copyPeak(m * inner),
      // scatterAdd adds to the table, so each run sets the table to 0 first.
      run: () => {
        if (name === 'gather') return kernels.gather({ ...sizes, x: table.ptr, out: into(picked.ptr) });
        kernels.fill({ n: n * inner, out: table.ptr, value: 0 });
        kernels.scatterAdd({ ...sizes, y: picked.ptr, out: table.ptr });
      },
      twin: () => {
        if (name === 'gather') return gatherRows(m, inner, table.twin, words, picked.twin);
        table.twin.fill(0);
        scatterRows(m, inner, picked.twin, words, table.twin);
      },
    };
  };

const cumsumCase =
  (axis: string, outer: number, n: number, inner: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const size = outer * n * inner;
    const [x, y] = [memory.array(size), memory.array(size)];
    return {
      name: `cumsum ${axis}`,
      shape: `${ROWS}x${COLS}`,
      elements: size,
      bytes: 8 * size,
      roof: memory.copyPeak(size),
      run: () => kernels.cumsum({ outer, n, inner, x: x.ptr, reverse: false, out: into(y.ptr) }),
      twin: () => cumsum(outer, n, inner, x.twin, y.twin),
    };
  };

/** The scores q·kᵀ of every head, or the sums of values weighted by them. */
const attention =
  (what: 'scores' | 'values'): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const { batch, places, size } = ATTENTION;
    const [m, n, k] = what === 'scores' ? [places, places, size] : [places, size, places];
    const bT = what === 'scores';
    const [a, b, c] = [memory.array(batch * m * k), memory.array(batch * k * n), memory.array(batch * m * n)];
    return {
      name: `gemmBatch ${bT ? 'NT' : 'NN'}`,
      shape: `${batch}x${m}x${k}x${n}`,
      flop: 2 * batch * m * n * k,
      bytes: 4 * batch * (m * k + k * n + m * n),
      roof: memory.multiplyAddPeak(),
      run: () =>
        kernels.gemmBatch({
          ...{ batch, m, n, k, aStep: m * k, bStep: k * n, outStep: m * n },
          a: { ptr: a.ptr, transposed: false },
          b: { ptr: b.ptr, transposed: bT },
          out: into(c.ptr),
        }),
      twin: () => {
        const part = (array: Float32Array, i: number, length: number) =>
          array.subarray(i * length, (i + 1) * length);
        for (let i = 0; i < batch; i++) {
          twins.gemm(
            ...([m, n, k] as const),
            ...([part(a.twin, i, m * k), false] as const),
            ...([part(b.twin, i, k * n), bT] as const),
            part(c.twin, i, m * n),
          );
        }
      },
    };
  };

export const rows: Subject = {
  name: 'rows',
  title:
    'Softmax, gathers, cumulative sums, batches of products. Twin: a loop. Peak: a plain copy, or multiply-adds.',
  cases: () => [
    ...SOFTMAX.flatMap((name) => [softmaxCase(name), softmaxBackwardCase(name)]),
    lookup('gather'),
    lookup('scatterAdd'),
    cumsumCase('rows', ROWS, COLS, 1),
    cumsumCase('columns', 1, ROWS, COLS),
    attention('scores'),
    attention('values'),
  ],
};
