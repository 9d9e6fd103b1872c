/**
 * The grain of each kernel: the smallest number of elements in a chunk from which on several threads are at least 10 %
 * faster. The constants of src/backend/partition.ts come from here.
 *
 * The work is divided into one chunk per thread, without partition.ts. It is compared with one chunk on the calling
 * thread. The last row of each sweep has the grain. Elements are counted as in the constants: elements of an array,
 * multiply-adds of a product, or updates of paths.
 *
 * In a loop over one kernel the workers are awake. In a program they may sleep, so the constants are larger than the
 * measured grains.
 */
import type { KernelName } from '../src/backend/abi.ts';
import type { Key } from '../src/backend/kernels.ts';
import { rowOf } from '../src/backend/kernels.ts';
import { type Bounds, even, GROUP, TILE_ROWS } from '../src/backend/partition.ts';
import type { WasmKernels } from '../src/backend/wasm.ts';
import type { Work } from '../src/models/benchmark/work.ts';
import type { Case } from './harness.ts';
import type { Operands } from './operands.ts';
import type { Row } from './row.ts';
import type { Setting } from './setting.ts';
import type { Make, Subject } from './subject.ts';

const KEY: Key = { seed: [1, 2], stream: [3, 4] };
const SIZES = Array.from({ length: 9 }, (_, i) => 2 ** (9 + i));
const ROWS = 64;
const PATHS = 1024;
/** The threads are faster if their speed is this many times that of one thread. */
const WIN = 1.1;

/** A kernel's work at one size: its record, how it can be divided, and its amount. */
interface Job extends Work {
  readonly shape: string;
  readonly kernel: KernelName;
  readonly record: object;
  readonly elements: number;
  readonly bytes: number;
  /** The number of items. A chunk has whole items, and starts at a multiple of `unit`. */
  readonly items: number;
  readonly unit: number;
  /** The chunk of the items [from, to). */
  readonly chunk?: (from: number, to: number) => Bounds;
}

interface Sweep {
  readonly name: string;
  readonly sizes: readonly number[];
  job(memory: Operands, size: number): Job;
}

const into = (ptr: number) => ({ ptr, accumulate: false });

const SWEEPS: readonly Sweep[] = [
  {
    name: 'add',
    sizes: SIZES,
    job(memory, n) {
      const [a, b, y] = [memory.array(n), memory.array(n), memory.array(n)];
      const record = { rows: 1, cols: n, a: rowOf(a.ptr, n), b: rowOf(b.ptr, n), out: into(y.ptr) };
      return elementsOf('add', n, 12 * n, record);
    },
  },
  {
    name: 'exp',
    sizes: SIZES,
    job(memory, n) {
      const [x, y] = [memory.array(n), memory.array(n)];
      return elementsOf('exp', n, 8 * n, { n, x: x.ptr, out: into(y.ptr) });
    },
  },
  {
    name: 'gaussian',
    sizes: SIZES,
    job(memory, n) {
      const record = { n, out: memory.block(n), key: KEY, block: 0 };
      return { ...elementsOf('gaussian', n, 4 * n, record), samples: n };
    },
  },
  {
    name: 'sum of columns',
    sizes: SIZES,
    job(memory, size) {
      const [x, y] = [memory.array(size), memory.array(ROWS)];
      const record = { outer: ROWS, n: size / ROWS, inner: 1, x: x.ptr, alpha: 1, out: into(y.ptr) };
      return { ...elementsOf('sum', size, 4 * size, record), items: ROWS, unit: 1 };
    },
  },
  {
    name: 'gemm NN',
    sizes: [2, 3, 4, 5, 6, 8].map((tiles) => 2 * TILE_ROWS * tiles),
    job(memory, n) {
      const [a, b, c] = [memory.array(n * n), memory.array(n * n), memory.array(n * n)];
      const operand = (ptr: number) => ({ ptr, transposed: false });
      return {
        kernel: 'gemm',
        shape: `${n}x${n}x${n}`,
        record: { m: n, n, k: n, a: operand(a.ptr), b: operand(b.ptr), out: into(c.ptr) },
        elements: n ** 3,
        flop: 2 * n ** 3,
        bytes: 12 * n * n,
        items: n,
        unit: TILE_ROWS,
        chunk: (from, to) => [from, to, 0, n],
      };
    },
  },
  {
    name: 'paths',
    sizes: [1, 2, 4, 8, 16, 32, 64],
    job(memory, steps) {
      const [coefficients, x, out] = [
        memory.array(4 * steps, 0, 0.1),
        memory.array(PATHS),
        memory.block(PATHS),
      ];
      return {
        kernel: 'affinePath',
        shape: `${PATHS}x${steps}`,
        record: {
          n: PATHS,
          steps,
          coefficients: coefficients.ptr,
          x: x.ptr,
          out,
          row: 0,
          key: KEY,
          stepBlocks: PATHS / 4,
        },
        elements: PATHS * steps,
        updates: PATHS * steps,
        bytes: 8 * PATHS,
        items: PATHS,
        unit: GROUP,
      };
    },
  },
];

const elementsOf = (kernel: KernelName, n: number, bytes: number, record: object): Job => ({
  kernel,
  shape: String(n),
  record,
  elements: n,
  bytes,
  items: n,
  unit: GROUP,
});

/** The cases of a sweep, one per size. With several threads the last row has the grain. */
function casesOf({ name, sizes, job }: Sweep, { threads, quick }: Setting): Make[] {
  const measured: { readonly row: Row; readonly grain: number }[] = [];
  const swept = quick ? sizes.slice(-2) : sizes;
  return swept.map((size, i) => (memory): Case => {
    const { kernel, record, items, unit, chunk = (from, to) => [from, to], ...work } = job(memory, size);
    const kernels = memory.backend.kernels as WasmKernels;
    const chunks = even(items, threads, unit).map(([from, to]) => chunk(from, to));
    const run = () => kernels.runChunks(kernel, record, chunks);
    if (threads === 1) return { name, ...work, run };
    const whole = [chunk(0, items)];
    return {
      name,
      ...work,
      run,
      alone: () => kernels.runChunks(kernel, record, whole),
      parts(row) {
        measured.push({ row, grain: work.elements / threads });
        return i + 1 < swept.length ? [] : [grainOf(name, measured)];
      },
    };
  });
}

/** The least size from which on the threads are faster at every size. */
function grainOf(name: string, measured: readonly { readonly row: Row; readonly grain: number }[]): Row {
  const lost = measured.findLastIndex(({ row }) => (row.overOne ?? 0) < WIN);
  const won = measured[lost + 1];
  const { subject, shape, threads, numerics, ms, overOne = 0 } = (won ?? measured[lost]).row;
  const row = { subject, name: `${name}: grain`, shape, threads, numerics, ms, overOne };
  return won ? { ...row, grain: won.grain } : row;
}

export const grains: Subject = {
  name: 'grains',
  title:
    'The size from which more threads are faster, with one chunk for each thread; and the grain that follows.',
  cases: (setting) => SWEEPS.flatMap((sweep) => casesOf(sweep, setting)),
};
