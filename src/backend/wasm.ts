/**
 * The WebAssembly backend: float32, with the kernels of assembly/ over one linear memory, on one or more threads. It is
 * instantiated synchronously at first use. No code outside this folder uses WebAssembly. It is one class because the
 * contract is one interface. Most of its methods are one call.
 */
import { Heap, type Ptr } from '../memory/heap.ts';
import {
  ABI,
  type KernelAbi,
  type KernelName,
  QUERY_CHUNK,
  RECORD_BYTES,
  RecordWriter,
  SUM_BLOCK,
} from './abi.ts';
import { callKernel } from './control.ts';
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from './conv/convolutions.ts';
import type { ConvHost } from './conv/host.ts';
import { type Exports, instantiate, type Numerics } from './instance.ts';
import type * as K from './kernels.ts';
import { NONLINEAR, UNARY } from './kernels.ts';
import { type Bounds, isLargeGemm, REDUCE_GRAIN } from './partition.ts';
import { ThreadPool } from './threads.ts';
import type { WasmMemory } from './wasm-memory.ts';

// Building these names at each call would cost more than a small kernel.
const UNARY_BACKWARD = Object.fromEntries(UNARY.map((name) => [name, `${name}Backward`])) as Record<
  K.UnaryName,
  `${K.UnaryName}Backward`
>;
const BINARY_BACKWARD = Object.fromEntries(
  NONLINEAR.map((name) => [name, { a: `${name}BackwardA`, b: `${name}BackwardB` }]),
) as Record<K.NonlinearName, { a: `${K.NonlinearName}BackwardA`; b: `${K.NonlinearName}BackwardB` }>;

/**
 * The kernels over one memory. A call writes its record to one place in memory (abi.ts). With more than one thread the
 * work is divided into chunks (partition.ts), and each free thread takes the next one. One thread computes the whole of
 * an output element. Only long sums are computed from blocks, which are added in order. So results do not depend on the
 * number of threads.
 */
export class WasmKernels implements K.Kernels {
  readonly heap: Heap;
  private readonly scratch: Ptr;
  private readonly records: RecordWriter;
  /** The record of a job that is computed while the caller continues. */
  private readonly recordsAhead: RecordWriter;
  private exports!: Exports;
  private module!: WebAssembly.Module;
  private pool: { readonly threads: ThreadPool; readonly scratch: readonly Ptr[] } | null = null;
  private wantedThreads = 1;
  private readonly convolutions: ConvHost & { fast: boolean } = {
    gemm: (record) => this.gemm(record),
    copy: (record) => this.copy(record),
    run: (name, record, bytes) =>
      bytes === undefined ? this.run(name, record) : this.withWorkspace(name, record, bytes),
    withArray: (elements, body) => this.withArray(elements, body),
    workspaceBytes: (name) => this.exports[`${name}Bytes`](),
    fast: false,
  };
  private build: Numerics = 'strict';

  constructor(
    private readonly memory: WasmMemory,
    numerics: Numerics,
    threads: number,
  ) {
    this.load(numerics);
    const base = this.exports.heapBase();
    const recordBytes = 64 * Math.ceil(RECORD_BYTES / 64);
    this.scratch = base + 2 * recordBytes;
    this.heap = new Heap(memory, this.scratch + this.exports.scratchBytes());
    this.records = new RecordWriter(memory.memory.buffer, base);
    this.recordsAhead = new RecordWriter(memory.memory.buffer, base + recordBytes);
    this.exports.attach(this.scratch, 0);
    this.exports.init();
    this.wantedThreads = threads;
  }

  get numerics(): Numerics {
    return this.build;
  }

  /** Changes to the other build, on the same memory. */
  set numerics(numerics: Numerics) {
    if (numerics === this.build) return;
    this.stopThreads();
    this.load(numerics);
    this.exports.attach(this.scratch, 0);
  }

  /** Whether 3x3 convolutions use larger tiles: Winograd's F(4x4, 3x3) in place of F(2x2, 3x3). */
  get fast(): boolean {
    return this.convolutions.fast;
  }

  set fast(fast: boolean) {
    this.convolutions.fast = fast;
  }

  get threads(): number {
    return this.wantedThreads;
  }

  /** The workers start with the first job that is large enough. */
  set threads(threads: number) {
    this.stopThreads();
    this.wantedThreads = threads;
  }

  /**
   * Whether multiply-adds are rounded once. That is so only in the relaxed build, and only if the engine fuses them.
   */
  get fused(): boolean {
    return this.exports.isFused(this.scratch) !== 0;
  }

  /** Ends the worker threads after their current chunks. The next job starts new ones. */
  stopThreads(): void {
    const { pool } = this;
    this.pool = null;
    try {
      pool?.threads.stop();
    } finally {
      for (const ptr of pool?.scratch ?? []) this.heap.release(ptr);
    }
  }

  gemm(record: K.Gemm): void {
    this.run('gemm', record);
  }

  gemmBatch(record: K.GemmBatch): void {
    if (!isLargeGemm(record)) return this.run('gemmBatch', record);
    const { batch, aStep, bStep, outStep, m, n, k, a, b, out } = record;
    for (let i = 0; i < batch; i++) {
      const at = <T extends { readonly ptr: Ptr }>(x: T, step: number): T => ({
        ...x,
        ptr: x.ptr + 4 * i * step,
      });
      this.run('gemm', { m, n, k, a: at(a, aStep), b: at(b, bStep), out: at(out, outStep) });
    }
  }

  conv2d(record: K.Conv2d): void {
    conv2d(this.convolutions, record);
  }

  conv2dInputGradient(record: K.Conv2dInputGradient): void {
    conv2dInputGradient(this.convolutions, record);
  }

  conv2dWeightGradient(record: K.Conv2dWeightGradient): void {
    conv2dWeightGradient(this.convolutions, record);
  }

  unary(name: K.UnaryName, record: K.Unary): void {
    this.run(name, record);
  }

  unaryBackward(name: K.UnaryName, record: K.UnaryBackward): void {
    this.run(UNARY_BACKWARD[name], record);
  }

  binary(name: K.BinaryName, record: K.Binary): void {
    this.run(name, record);
  }

  binaryBackward(name: K.NonlinearName, operand: 'a' | 'b', record: K.BinaryBackward): void {
    this.run(BINARY_BACKWARD[name][operand], record);
  }

  where(record: K.Where): void {
    this.run('where', record);
  }

  copy(record: K.Copy): void {
    this.run('copy', record);
  }

  fill(record: K.Fill): void {
    this.run('fill', record);
  }

  reduce(name: K.ReduceName, record: K.Reduce): void {
    const { outer, n, inner, x, alpha, out } = record;
    if (!isSum(name) || outer !== 1 || inner !== 1 || !isLong(n)) return this.run(name, record);
    const total = this.blockwise(n, (partials) => this.run(`${name}Blocks`, { n, x, partials }));
    this.run('storeTotal', { total, alpha, out });
  }

  softmax(name: K.SoftmaxName, record: K.Softmax): void {
    this.run(name, record);
  }

  softmaxBackward(name: K.SoftmaxName, record: K.SoftmaxBackward): void {
    this.run(`${name}Backward`, record);
  }

  gather(record: K.Gather): void {
    this.run('gather', record);
  }

  scatterAdd(record: K.ScatterAdd): void {
    this.run('scatterAdd', record);
  }

  cumsum(record: K.Cumsum): void {
    this.run('cumsum', record);
  }

  prodBackward(record: K.ProdBackward): void {
    const { outer, n, inner } = record;
    const prefix = this.heap.alloc(8 * outer * n * inner);
    try {
      this.run('prodBackward', { ...record, prefix });
    } finally {
      this.heap.release(prefix);
    }
  }

  mse(record: K.Mse): void {
    const { n, a, b, out } = record;
    if (!isLong(n)) return this.run('mse', record);
    const total = this.blockwise(n, (partials) => this.run('squaredErrorBlocks', { n, a, b, partials }));
    this.run('storeTotal', { total: total / n, alpha: 1, out: { ptr: out, accumulate: false } });
  }

  mseBackward(record: K.MseBackward): void {
    this.run('mseBackward', record);
  }

  affineSample(record: K.AffineSample): void {
    this.run('affineSample', record);
  }

  affineSampleBackward(record: K.AffineSampleBackward): void {
    this.run('affineSampleBackward', record);
  }

  adam(record: K.Adam): void {
    this.run('adam', record);
  }

  sgd(record: K.Sgd): void {
    this.run('sgd', record);
  }

  rmsprop(record: K.Rmsprop): void {
    this.run('rmsprop', record);
  }

  random(name: K.RandomName, record: K.Random): void {
    this.run(name, record);
  }

  /**
   * With one thread, or for few numbers, they are drawn at the call of the returned function. They are then in the
   * cache.
   */
  randomAhead(name: K.RandomName, record: K.Random): () => void {
    const abi = ABI[name] as KernelAbi<K.Random>;
    const chunks = abi.partition(record);
    if (this.wantedThreads === 1 || chunks.length === 1) return () => this.run(name, record);
    const pool = this.startThreads();
    pool.finish();
    abi.write(this.recordsAhead.start(), record);
    const job = pool.start(name, this.recordsAhead.at, chunks);
    return () => pool.finish(job);
  }

  affinePath(record: K.AffinePath): void {
    this.run('affinePath', record);
  }

  // For each channel there are two totals in float64 and some float32 numbers: three in the forward pass, six in the
  // backward pass, and dz for SiLU.

  groupNorm(record: K.GroupNorm): void {
    this.withWorkspace('groupNorm', record, 28 * record.channels);
  }

  groupNormBackward(record: K.GroupNormBackward): void {
    const { positions, channels, silu } = record;
    this.withWorkspace('groupNormBackward', record, (40 + (silu ? 4 * positions : 0)) * channels);
  }

  averagePool(record: K.AveragePool): void {
    this.run('averagePool', record);
  }

  averagePoolBackward(record: K.AveragePoolBackward): void {
    this.run('averagePoolBackward', record);
  }

  maxPool(record: K.MaxPool): void {
    this.run('maxPool', record);
  }

  maxPoolBackward(record: K.MaxPoolBackward): void {
    this.run('maxPoolBackward', record);
  }

  pixelShuffle(record: K.PixelShuffle): void {
    this.run('pixelShuffle', record);
  }

  pixelUnshuffle(record: K.PixelShuffle): void {
    this.run('pixelUnshuffle', record);
  }

  attention(record: K.Attention): void {
    this.withWorkspace('attention', record, attentionBytes(record));
  }

  attentionBackward(record: K.AttentionBackward): void {
    this.withWorkspace('attentionBackward', record, attentionBackwardBytes(record));
  }

  /** Calls `body` with temporary memory of that many elements. */
  private withArray(elements: number, body: (array: Ptr) => void): void {
    const array = this.heap.alloc(4 * elements);
    try {
      body(array);
    } finally {
      this.heap.release(array);
    }
  }

  /** Runs a kernel with `bytes` of memory for each thread, rounded up to cache lines. */
  private withWorkspace(name: KernelName, record: object, bytes: number): void {
    const workspaceBytes = 64 * Math.ceil(bytes / 64);
    const workspace = this.heap.alloc(this.wantedThreads * workspaceBytes);
    try {
      this.run(name, { ...record, workspace, workspaceBytes });
    } finally {
      this.heap.release(workspace);
    }
  }

  /** Multiply-adds from registers, for the benchmark: 224·turns flop on each thread (assembly/peak.ts). */
  peakMulAdd(turns: number): void {
    const pieces = 4;
    this.run('peakMulAdd', { items: pieces * this.wantedThreads, turns: turns / pieces });
  }

  /** A long sum. All threads compute the partial sums of its blocks, and we add these in ascending order. */
  private blockwise(n: number, sumBlocks: (partials: Ptr) => void): number {
    const blocks = Math.ceil(n / SUM_BLOCK);
    const partials = this.heap.alloc(8 * blocks);
    try {
      sumBlocks(partials);
      let total = 0;
      const { f64 } = this.memory;
      for (let i = 0; i < blocks; i++) total += f64[partials / 8 + i];
      return total;
    } finally {
      this.heap.release(partials);
    }
  }

  private run(name: KernelName, record: object): void {
    this.runChunks(name, record, (ABI[name] as KernelAbi<object>).partition(record));
  }

  /**
   * Writes the record and runs the kernel on these chunks. If there are several chunks and threads, all threads share
   * them. The benchmark calls this with chunks of its own (bench/grains.ts).
   */
  runChunks(name: KernelName, record: object, chunks: readonly Bounds[]): void {
    (ABI[name] as KernelAbi<object>).write(this.records.start(), record);
    const { at } = this.records;
    if (chunks.length > 1 && this.wantedThreads > 1) return this.startThreads().run(name, at, chunks);
    const kernel = this.exports[name];
    for (let i = 0; i < chunks.length; i++) callKernel(kernel, chunks[i], 0, chunks[i].length, at);
  }

  private startThreads(): ThreadPool {
    if (!this.pool) {
      const scratch = Array.from({ length: this.wantedThreads - 1 }, () =>
        this.heap.alloc(this.exports.scratchBytes()),
      );
      const exports = this.exports as unknown as WebAssembly.Exports;
      try {
        this.pool = { threads: new ThreadPool(this.module, this.memory.memory, exports, scratch), scratch };
      } catch (error) {
        for (const ptr of scratch) this.heap.release(ptr);
        throw error;
      }
    }
    return this.pool.threads;
  }

  private load(numerics: Numerics): void {
    ({ module: this.module, exports: this.exports } = instantiate(numerics, this.memory.memory));
    this.build = numerics;
  }
}

/** The reductions that add. Their long rows are divided into blocks. */
const isSum = (name: K.ReduceName) => name === 'sum' || name === 'sumSquares';

/** Whether a sum of n elements is divided into blocks that threads share. It then has at least two chunks. */
const isLong = (n: number) => n >= 2 * REDUCE_GRAIN;

/** n rounded up to whole tiles of attention. */
const tiled = (n: number) => 8 * Math.ceil(n / 8);

/**
 * The bytes of the arrays in assembly/attention/attention.ts: packed keys and values, then a block of eight queries.
 */
function attentionBytes({ keys, dim, valueDim }: K.Attention): number {
  const [n, d, v] = [keys, dim, valueDim].map(tiled);
  return 4 * (n * (d + v) + 8 * (d + 2 * n + v + 1) + v);
}

/** The bytes of the arrays in assembly/attention/attention-backward.ts, in the same order. */
function attentionBackwardBytes({ queries, keys, dim, valueDim }: K.AttentionBackward): number {
  const [n, d, v] = [keys, dim, valueDim].map(tiled);
  const chunk = tiled(Math.min(queries, QUERY_CHUNK));
  const packed = n * (2 * d + v) + chunk * (d + v + 2 * n);
  const block = 8 * (Math.max(d, v) + 3 * n + d + 3 + 4);
  return 64 * 2 + 4 * (packed + block + Math.max(d, n));
}
