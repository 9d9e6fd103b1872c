/**
 * Kernels with a fixed amount of work per element: functions of one array and of two, broadcasting, reductions, copies,
 * the loss and the optimisers. GB/s count every byte that must be read or written, once. Twins: loops over
 * Float32Array. Roof: a plain copy of equally many elements. So `of peak` is the GB/s of the kernel divided by those of
 * the copy. It is low for a kernel that computes much per element.
 *
 * [64,784] is a batch of pictures. It has 200 KB and stays in the caches. 949,184 is the number of the denoiser's
 * parameters. 2^22 elements have 16 MB, and do not stay in the caches. A sweep over sizes shows the size from which on
 * more threads are faster.
 */
import {
  BINARY,
  type BinaryName,
  type ReduceName,
  rowOf,
  UNARY,
  type UnaryName,
} from '../src/backend/kernels.ts';
import { ATTRIBUTES, binaryWork, domainOf, unaryWork } from '../src/models/benchmark/works.ts';
import { adam, mse, mseBackward, rmsprop, sgd } from './losses-and-optimisers.ts';
import type { Setting } from './setting.ts';
import type { Make, Subject } from './subject.ts';
import * as twins from './twins.ts';
import { addBroadcast, BINARY_TWINS, UNARY_BACKWARD_TWINS, UNARY_TWINS } from './twins-elementwise.ts';

const [ROWS, COLS] = [64, 784];
const BATCH = ROWS * COLS;
const PARAMETERS = 949_184;
const LARGE = 2 ** 22;
const SWEEP = [2 ** 10, 2 ** 13, 2 ** 16, 2 ** 19];
const into = (ptr: number) => ({ ptr, accumulate: false });
const label = (n: number) => (n === BATCH ? `${ROWS}x${COLS}` : String(n));

const unary =
  (name: UnaryName, n = BATCH): Make =>
  (memory) => {
    const { operands, ...work } = unaryWork(memory, name, n);
    const [x, y] = operands;
    return { ...work, shape: label(n), twin: () => UNARY_TWINS[name](n, x.twin, y.twin, ATTRIBUTES) };
  };

const binary =
  (name: BinaryName, n = BATCH): Make =>
  (memory) => {
    const { operands, ...work } = binaryWork(memory, name, n);
    const [a, b, y] = operands;
    const twin = () => BINARY_TWINS[name](n, a.twin, b.twin, y.twin, ATTRIBUTES);
    return { ...work, shape: label(n), twin };
  };

const unaryBackward =
  (name: UnaryName): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const n = BATCH;
    const [dy, kept, dx] = [memory.array(n), memory.array(n, ...domainOf(name)), memory.array(n)];
    const record = { n, dy: dy.ptr, kept: kept.ptr, out: into(dx.ptr), ...ATTRIBUTES };
    return {
      name: `${name}Backward`,
      shape: label(n),
      elements: n,
      bytes: 12 * n,
      roof: memory.copyPeak(n),
      run: () => kernels.unaryBackward(name, record),
      twin: () => UNARY_BACKWARD_TWINS[name](n, dy.twin, kept.twin, dx.twin, ATTRIBUTES),
    };
  };

/** [64,784] plus a row, a column or one number. */
const broadcast =
  (what: 'row' | 'column' | 'scalar'): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const [row, col] = { row: [0, 1], column: [1, 0], scalar: [0, 0] }[what] as [number, number];
    const [a, b, y] = [memory.array(BATCH), memory.array(COLS), memory.array(BATCH)];
    return {
      name: `add ${what}`,
      shape: label(BATCH),
      elements: BATCH,
      bytes: 8 * BATCH,
      roof: memory.copyPeak(BATCH),
      run: () =>
        kernels.binary('add', {
          rows: ROWS,
          cols: COLS,
          a: rowOf(a.ptr, COLS),
          b: { ptr: b.ptr, row, col },
          out: into(y.ptr),
        }),
      twin: () => addBroadcast(ROWS, COLS, a.twin, b.twin, row, col, y.twin),
    };
  };

/** A reduction over the middle axis of x[outer,n,inner]. */
const reduce =
  (name: ReduceName, axis: string, outer: number, n: number, inner: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const size = outer * n * inner;
    // With these numbers a product stays near 1.
    const x = name === 'prod' ? memory.array(size, 0.9, 1.1) : memory.array(size);
    const y = memory.array(outer * inner);
    return {
      name: `${name} ${axis}`,
      shape: label(size),
      elements: size,
      bytes: 4 * (size + outer * inner),
      roof: memory.copyPeak(size),
      run: () =>
        kernels.reduce(name, { outer: outer, n: n, inner: inner, x: x.ptr, alpha: 1, out: into(y.ptr) }),
      twin: () => twins.reduce(name, outer, n, inner, x.twin, y.twin),
    };
  };

/** The gradient of products over the middle axis of x[outer,n,inner]. */
const prodBackward =
  (axis: string, outer: number, n: number, inner: number): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const size = outer * n * inner;
    const [x, dy] = [memory.array(size, 0.9, 1.1), memory.array(outer * inner)];
    const dx = memory.array(size);
    return {
      name: `prodBackward ${axis}`,
      shape: label(size),
      elements: size,
      bytes: 4 * (2 * size + outer * inner),
      roof: memory.copyPeak(size),
      run: () => kernels.prodBackward({ outer, n, inner, x: x.ptr, dy: dy.ptr, out: into(dx.ptr) }),
      twin: () => twins.prodBackward(outer, n, inner, x.twin, dy.twin, dx.twin),
    };
  };

/** Copies [rows,cols], optionally transposed. */
const copy =
  (name: string, rows: number, cols: number, alpha: number, transposed = false): Make =>
  (memory) => {
    const { kernels } = memory.backend;
    const n = rows * cols;
    const [x, y] = [memory.array(n), memory.array(n)];
    const [yRow, yCol] = transposed ? [1, rows] : [cols, 1];
    return {
      name,
      shape: rows === 1 ? label(n) : `${rows}x${cols}`,
      elements: n,
      bytes: 8 * n,
      roof: memory.copyPeak(n),
      run: () =>
        kernels.copy({
          rows: rows,
          cols: cols,
          alpha: alpha,
          x: { ptr: x.ptr, row: cols, col: 1 },
          y: { ptr: y.ptr, row: yRow, col: yCol },
          accumulate: false,
        }),
      twin: () => twins.copy(rows, cols, alpha, x.twin, cols, 1, y.twin, yRow, yCol),
    };
  };

const fill: Make = (memory) => {
  const { kernels } = memory.backend;
  const y = memory.array(BATCH);
  return {
    name: 'fill',
    shape: label(BATCH),
    elements: BATCH,
    bytes: 4 * BATCH,
    roof: memory.copyPeak(BATCH),
    run: () => kernels.fill({ n: BATCH, out: y.ptr, value: 0.5 }),
    twin: () => void y.twin.fill(0.5),
  };
};

export const elementwise: Subject = {
  name: 'elementwise',
  title: 'Elementwise kernels, reductions, copies. Twin: a loop over Float32Array. Peak: a plain copy.',
  cases: ({ quick }: Setting) => [
    ...UNARY.map((name) => unary(name)),
    ...UNARY.map(unaryBackward),
    ...BINARY.map((name) => binary(name)),
    ...(['row', 'column', 'scalar'] as const).map(broadcast),
    reduce('sum', 'all', 1, BATCH, 1),
    reduce('sum', 'rows', 1, ROWS, COLS),
    reduce('sum', 'columns', ROWS, COLS, 1),
    reduce('sumSquares', 'all', 1, PARAMETERS, 1),
    reduce('max', 'columns', ROWS, COLS, 1),
    reduce('max', 'rows', 1, ROWS, COLS),
    reduce('min', 'rows', 1, ROWS, COLS),
    reduce('prod', 'columns', ROWS, COLS, 1),
    reduce('prod', 'rows', 1, ROWS, COLS),
    prodBackward('columns', ROWS, COLS, 1),
    prodBackward('rows', 1, ROWS, COLS),
    copy('copy', 1, BATCH, 1),
    copy('copy scaled', 1, BATCH, 0.5),
    copy('transpose', 784, 400, 1, true),
    copy('transpose', 64, 784, 1, true),
    copy('transpose', 1024, 1024, 1, true),
    fill,
    mse(BATCH, label(BATCH)),
    mseBackward(BATCH, label(BATCH)),
    adam(PARAMETERS),
    sgd(PARAMETERS),
    rmsprop(PARAMETERS),
    ...(quick ? [] : [...SWEEP, LARGE]).flatMap((n) => [
      copy('copy', 1, n, 1),
      binary('add', n),
      unary('exp', n),
      reduce('sum', 'all', 1, n, 1),
    ]),
  ],
};
