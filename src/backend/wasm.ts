/**
 * The WebAssembly backend: float32, the kernels of assembly/ over one linear memory, on as many threads as it is
 * given. Instantiated synchronously on first use. Nothing outside this folder knows that WebAssembly exists.
 */
import { Heap, type Ptr } from '../memory/heap.ts';
import { type Exports, instantiate, type Numerics } from './instance.ts';
import type {
  ActivationName,
  AdamStep,
  BinaryName,
  Bounds,
  Kernels,
  Key,
  ReduceName,
  SgdStep,
  UnaryName,
  View2d,
} from './kernels.ts';
import { cut, gemmPieces, pathPieces } from './pieces.ts';
import { ThreadPool } from './threads.ts';
import type { WasmMemory } from './wasm-memory.ts';

/** The codes of assembly/activation.ts. */
const ACTIVATION_CODE: Record<ActivationName, number> = { none: 0, relu: 1, sigmoid: 2, tanh: 3, silu: 4 };

const NO_BOUNDS: Bounds = { lo: 0, hi: 0 };
/** Elements that assembly/reduce.ts adds in float32 before float64 takes over. */
const SUM_BLOCK = 4096;

const high = (x: number) => Math.floor(x / 2 ** 32) >>> 0;

/**
 * The kernels over one memory. With more than one thread, the work is cut into pieces (pieces.ts) and the
 * threads take them as they come. Every output element is computed whole by one thread, or (long sums) from
 * blocks that are added in order: the number of threads never shows in a result.
 */
export class WasmKernels implements Kernels {
  readonly heap: Heap;
  private readonly scratch: Ptr;
  private exports!: Exports;
  private module!: WebAssembly.Module;
  private pool: { readonly threads: ThreadPool; readonly scratch: readonly Ptr[] } | null = null;
  private wantedThreads = 1;
  private build: Numerics = 'strict';

  constructor(
    private readonly memory: WasmMemory,
    numerics: Numerics,
    threads: number,
  ) {
    this.load(numerics);
    this.scratch = this.exports.heapBase();
    this.heap = new Heap(memory, this.scratch + this.exports.scratchBytes());
    this.exports.attach(this.scratch);
    this.exports.init();
    this.wantedThreads = threads;
  }

  get numerics(): Numerics {
    return this.build;
  }

  /** Goes over to the other build, on the same memory. */
  set numerics(numerics: Numerics) {
    if (numerics === this.build) return;
    this.stopThreads();
    this.load(numerics);
    this.exports.attach(this.scratch);
  }

  get threads(): number {
    return this.wantedThreads;
  }

  /** Workers start when the first job that is worth it comes. */
  set threads(threads: number) {
    this.stopThreads();
    this.wantedThreads = threads;
  }

  /** Whether multiply-adds are rounded once: only in the relaxed build, and only where the engine does it. */
  get fused(): boolean {
    return this.exports.isFused(this.scratch) !== 0;
  }

  /** Ends the worker threads; the next job starts new ones. */
  stopThreads(): void {
    this.pool?.threads.stop();
    for (const ptr of this.pool?.scratch ?? []) this.heap.release(ptr);
    this.pool = null;
  }

  gemm(
    m: number,
    n: number,
    k: number,
    a: Ptr,
    aT: boolean,
    b: Ptr,
    bT: boolean,
    c: Ptr,
    accumulate: boolean,
    bias: Ptr | null = null,
    activation: ActivationName = 'none',
  ): void {
    const code = ACTIVATION_CODE[activation];
    this.run(
      'gemm',
      gemmPieces(m, n, k).map(([m0, m1, n0, n1]) => {
        // biome-ignore format: one line for each group of the ABI
        return [
          m0, m1, n0, n1, m, n, k, a, +aT, b, +bT, c,
          +accumulate, bias ?? 0, code,
        ];
      }),
    );
  }

  unary(name: UnaryName, n: number, x: Ptr, y: Ptr, accumulate: boolean, bounds?: Bounds): void {
    const { lo, hi } = bounds ?? NO_BOUNDS;
    this.run(
      name,
      cut(name, n).map(([from, to]) => [to - from, x + 4 * from, y + 4 * from, +accumulate, lo, hi]),
    );
  }

  binary(
    name: BinaryName,
    rows: number,
    cols: number,
    a: View2d,
    b: View2d,
    y: Ptr,
    accumulate: boolean,
    bounds?: Bounds,
  ): void {
    const { lo, hi } = bounds ?? NO_BOUNDS;
    // One row is cut along it, several are cut between rows.
    const pieces =
      rows === 1
        ? cut(name, cols).map(([from, to]) => {
            const [aAt, bAt] = [a.ptr + 4 * from * a.col, b.ptr + 4 * from * b.col];
            return [1, to - from, aAt, a.row, a.col, bAt, b.row, b.col, y + 4 * from, +accumulate, lo, hi];
          })
        : cut(name, rows, cols).map(([from, to]) => {
            const [aAt, bAt, yAt] = [a.ptr + 4 * from * a.row, b.ptr + 4 * from * b.row, y + 4 * from * cols];
            return [to - from, cols, aAt, a.row, a.col, bAt, b.row, b.col, yAt, +accumulate, lo, hi];
          });
    this.run(name, pieces);
  }

  copy(
    rows: number,
    cols: number,
    alpha: number,
    x: Ptr,
    xRow: number,
    xCol: number,
    y: Ptr,
    yRow: number,
    yCol: number,
    accumulate: boolean,
  ): void {
    // A single row is cut along it: as many rows of one element, for the kernel's purposes.
    const long = rows === 1;
    const pieces = cut('copy', long ? cols : rows, long ? 1 : cols).map(([from, to]) => {
      const [xAt, yAt] = [x + 4 * from * (long ? xCol : xRow), y + 4 * from * (long ? yCol : yRow)];
      const [r, c] = long ? [1, to - from] : [to - from, cols];
      return [r, c, alpha, xAt, xRow, xCol, yAt, yRow, yCol, +accumulate];
    });
    this.run('copy', pieces);
  }

  fill(n: number, y: Ptr, value: number): void {
    this.exports.fill(n, y, value);
  }

  reduce(
    name: ReduceName,
    outer: number,
    n: number,
    inner: number,
    x: Ptr,
    y: Ptr,
    alpha: number,
    accumulate: boolean,
  ): void {
    if (name !== 'max' && outer === 1 && inner === 1 && cut(name, n).length > 1) {
      const total = this.blockwise(`${name}Blocks`, n, (first, last, partials) => [
        first,
        last,
        n,
        x,
        partials,
      ]);
      return this.exports.storeTotal(y, total, alpha, +accumulate);
    }
    const pieces = cut(name, outer, n * inner).map(([from, to]) => {
      const [xAt, yAt] = [x + 4 * from * n * inner, y + 4 * from * inner];
      return [to - from, n, inner, xAt, yAt, alpha, +accumulate];
    });
    this.run(name, pieces);
  }

  mse(n: number, a: Ptr, b: Ptr, y: Ptr): void {
    if (cut('mse', n).length === 1) return void this.exports.mse(n, a, b, y);
    const total = this.blockwise('squaredErrorBlocks', n, (first, last, partials) => [
      first,
      last,
      n,
      a,
      b,
      partials,
    ]);
    this.exports.storeTotal(y, total / n, 1, 0);
  }

  mseBackward(n: number, a: Ptr, b: Ptr, dy: Ptr, scale: number, dx: Ptr, accumulate: boolean): void {
    this.run(
      'mseBackward',
      cut('mseBackward', n).map(([from, to]) => {
        const at = 4 * from;
        return [to - from, a + at, b + at, dy, scale, dx + at, +accumulate];
      }),
    );
  }

  adam(n: number, p: Ptr, g: Ptr, m: Ptr, v: Ptr, s: AdamStep): void {
    const { stepSize, beta1, beta2, eps, correction, l2, shrink } = s;
    this.run(
      'adam',
      cut('adam', n).map(([from, to]) => {
        const at = 4 * from;
        return [
          to - from,
          p + at,
          g + at,
          m + at,
          v + at,
          stepSize,
          beta1,
          beta2,
          eps,
          correction,
          l2,
          shrink,
        ];
      }),
    );
  }

  sgd(n: number, p: Ptr, g: Ptr, buffer: Ptr | null, s: SgdStep): void {
    this.run(
      'sgd',
      cut('sgd', n).map(([from, to]) => {
        const [at, b] = [4 * from, buffer === null ? 0 : buffer + 4 * from];
        return [to - from, p + at, g + at, b, s.lr, s.momentum, s.dampening, s.l2, +s.nesterov, +s.first];
      }),
    );
  }

  gaussian(n: number, out: Ptr, key: Key, block: number): void {
    this.random('gaussian', n, out, key, block);
  }

  uniform(n: number, out: Ptr, key: Key, block: number): void {
    this.random('uniform', n, out, key, block);
  }

  randomBits(n: number, out: Ptr, key: Key, block: number): void {
    this.random('randomBits', n, out, key, block);
  }

  affinePath(
    n: number,
    coefficients: ArrayLike<number>,
    x: Ptr,
    out: Ptr,
    row: number,
    { seed, stream }: Key,
    stepBlocks: number,
  ): void {
    const steps = coefficients.length / 4;
    const table = this.heap.alloc(16 * steps);
    new Float32Array(this.memory.memory.buffer, table, 4 * steps).set(coefficients);
    try {
      this.run(
        'affinePath',
        pathPieces(n, steps).map(([from, to]) => {
          const [at, block] = [4 * from, from / 4];
          const keys = [seed[0], seed[1], stream[0], stream[1]];
          return [to - from, steps, x + at, out + at, 4 * row, table, ...keys, block, 0, stepBlocks];
        }),
      );
    } finally {
      this.heap.release(table);
    }
  }

  /** 96·n flop of multiply-adds from registers, for the bench (assembly/peak.ts). */
  peakMulAdd(n: number): void {
    this.exports.peakMulAdd(n, this.scratch);
  }

  /** Pieces begin at multiples of 16 elements, a group of four blocks. */
  private random(
    kernel: 'gaussian' | 'uniform' | 'randomBits',
    n: number,
    out: Ptr,
    { seed, stream }: Key,
    block: number,
  ): void {
    this.run(
      kernel,
      cut(kernel, n).map(([from, to]) => {
        const at = block + from / 4;
        return [to - from, out + 4 * from, seed[0], seed[1], stream[0], stream[1], at >>> 0, high(at)];
      }),
    );
  }

  /** A long sum: its blocks' partial sums by all threads, added here in ascending order. */
  private blockwise(
    kernel: keyof Exports,
    n: number,
    args: (first: number, last: number, partials: Ptr) => number[],
  ): number {
    const blocks = Math.ceil(n / SUM_BLOCK);
    const partials = this.heap.alloc(8 * blocks);
    this.run(
      kernel,
      cut(kernel, blocks, SUM_BLOCK).map(([first, last]) => args(first, last, partials)),
    );
    let total = 0;
    const { f64 } = this.memory;
    for (let i = 0; i < blocks; i++) total += f64[partials / 8 + i];
    this.heap.release(partials);
    return total;
  }

  /** Runs the pieces of a kernel: here if it is one, or if there is one thread; else on all threads. */
  private run(kernel: keyof Exports, pieces: readonly number[][]): void {
    if (pieces.length > 1 && this.wantedThreads > 1) return this.startThreads().run(kernel, pieces);
    const f = this.exports[kernel] as (...args: number[]) => void;
    for (const piece of pieces) f(...piece);
  }

  private startThreads(): ThreadPool {
    if (!this.pool) {
      const scratch = Array.from({ length: this.wantedThreads - 1 }, () =>
        this.heap.alloc(this.exports.scratchBytes()),
      );
      const exports = this.exports as unknown as WebAssembly.Exports;
      this.pool = { threads: new ThreadPool(this.module, this.memory.memory, exports, scratch), scratch };
    }
    return this.pool.threads;
  }

  private load(numerics: Numerics): void {
    ({ module: this.module, exports: this.exports } = instantiate(numerics, this.memory.memory));
    this.build = numerics;
  }
}
