/**
 * The WebAssembly backend: float32, the kernels of assembly/ over one linear memory. Instantiated
 * synchronously on first use. Nothing outside this folder knows that WebAssembly exists.
 *
 * The memory is a shared one even where no thread shares it, so that there is one build of the kernels; such
 * a memory can be made in every engine, and only handing it to a worker needs cross-origin isolation.
 */
import strict from '../../build/strict.wasm';
import { OutOfMemoryError } from '../errors.ts';
import type { LinearMemory, Ptr } from '../memory/heap.ts';
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

/** Bytes of a page of WebAssembly memory, and how many a 32-bit address reaches: 4 GiB. */
const PAGE = 65536;
const MAX_PAGES = 65536;

/** The exports of assembly/index.ts. */
interface Exports extends Record<UnaryName | BinaryName | ReduceName, (...args: number[]) => void> {
  heapBase(): number;
  init(): void;
  gemmScratchBytes(): number;
  peakMulAdd(n: number, at: Ptr): number;
  gemm(...args: number[]): void;
  copy(...args: number[]): void;
  fill(n: number, y: Ptr, value: number): void;
  mse(n: number, a: Ptr, b: Ptr, y: Ptr): void;
  mseBackward(...args: number[]): void;
  adam(...args: number[]): void;
  sgd(...args: number[]): void;
  gaussian(...args: number[]): void;
  uniform(...args: number[]): void;
  randomBits(...args: number[]): void;
}

/** The linear memory, in float32 elements. */
export class WasmMemory implements LinearMemory {
  readonly memory: WebAssembly.Memory;

  /** @param maxPages the limit of growth; less than 65536 only to test what happens at the limit */
  constructor(private readonly maxPages = MAX_PAGES) {
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: maxPages, shared: true });
  }

  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /** A view of the whole memory, good until the memory grows. */
  get f32(): Float32Array {
    return new Float32Array(this.memory.buffer);
  }

  grow(bytes: number): void {
    const pages = this.byteLength / PAGE;
    const needed = Math.ceil(bytes / PAGE);
    // Half as much again, so that a program that allocates step by step grows rarely.
    const wanted = Math.min(this.maxPages, Math.max(needed, Math.ceil(pages * 1.5)));
    for (const target of [wanted, needed]) {
      if (target > this.maxPages) break;
      try {
        this.memory.grow(target - pages);
        return;
      } catch {
        // The machine does not give so much; what is needed may still be had.
      }
    }
    const gib = (n: number) => `${(n / 2 ** 30).toFixed(2)} GiB`;
    throw new OutOfMemoryError(
      `out of memory: ${gib(bytes)} of WebAssembly memory needed, ${gib(this.byteLength)} in use, ${gib(this.maxPages * PAGE)} the most there can be`,
    );
  }
}

/** The codes of assembly/activation.ts. */
const ACTIVATION_CODE: Record<ActivationName, number> = { none: 0, relu: 1, sigmoid: 2, tanh: 3, silu: 4 };

const high = (x: number) => Math.floor(x / 2 ** 32) >>> 0;

export class WasmKernels implements Kernels {
  private readonly exports: Exports;
  /** Packed panels of the GEMM, then the last group of a random array. */
  private readonly scratch: Ptr;
  /** First byte that the heap may use. */
  readonly heapBase: Ptr;

  constructor(memory: WasmMemory) {
    const module = new WebAssembly.Module(strict);
    const instance = new WebAssembly.Instance(module, { env: { memory: memory.memory } });
    this.exports = instance.exports as unknown as Exports;
    this.exports.init();
    this.scratch = this.exports.heapBase();
    this.heapBase = this.scratch + this.exports.gemmScratchBytes() + 64;
    if (this.heapBase > memory.byteLength) memory.grow(this.heapBase);
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
    // biome-ignore format: one line for each group of the ABI
    this.exports.gemm(
      0, m, 0, n, m, n, k, a, +aT, b, +bT, c,
      +accumulate, bias ?? 0, ACTIVATION_CODE[activation], this.scratch,
    );
  }

  unary(name: UnaryName, n: number, x: Ptr, y: Ptr, accumulate: boolean, bounds?: Bounds): void {
    this.exports[name](n, x, y, +accumulate, bounds?.lo ?? 0, bounds?.hi ?? 0);
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
    // biome-ignore format: one line for each group of the ABI
    this.exports[name](
      rows, cols, a.ptr, a.row, a.col, b.ptr, b.row, b.col, y,
      +accumulate, bounds?.lo ?? 0, bounds?.hi ?? 0,
    );
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
    this.exports.copy(rows, cols, alpha, x, xRow, xCol, y, yRow, yCol, +accumulate);
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
    this.exports[name](outer, n, inner, x, y, alpha, +accumulate);
  }

  mse(n: number, a: Ptr, b: Ptr, y: Ptr): void {
    this.exports.mse(n, a, b, y);
  }

  mseBackward(n: number, a: Ptr, b: Ptr, dy: Ptr, scale: number, dx: Ptr, accumulate: boolean): void {
    this.exports.mseBackward(n, a, b, dy, scale, dx, +accumulate);
  }

  adam(n: number, p: Ptr, g: Ptr, m: Ptr, v: Ptr, s: AdamStep): void {
    this.exports.adam(n, p, g, m, v, s.stepSize, s.beta1, s.beta2, s.eps, s.correction, s.l2, s.shrink);
  }

  sgd(n: number, p: Ptr, g: Ptr, buffer: Ptr | null, s: SgdStep): void {
    this.exports.sgd(n, p, g, buffer ?? 0, s.lr, s.momentum, s.dampening, s.l2, +s.nesterov, +s.first);
  }

  gaussian(n: number, out: Ptr, { seed, stream }: Key, block: number): void {
    this.exports.gaussian(n, out, seed[0], seed[1], stream[0], stream[1], block, high(block), this.scratch);
  }

  uniform(n: number, out: Ptr, { seed, stream }: Key, block: number): void {
    this.exports.uniform(n, out, seed[0], seed[1], stream[0], stream[1], block, high(block), this.scratch);
  }

  randomBits(n: number, out: Ptr, { seed, stream }: Key, block: number): void {
    this.exports.randomBits(n, out, seed[0], seed[1], stream[0], stream[1], block, high(block), this.scratch);
  }

  /** 256·n flop of multiply-adds from registers, for the bench (assembly/peak.ts). */
  peakMulAdd(n: number): void {
    this.exports.peakMulAdd(n, this.scratch);
  }
}
