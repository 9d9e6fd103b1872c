/**
 * The two backends, and the choice of the current one. A backend has its kernels, its memory with a heap and an arena,
 * and functions that copy plain arrays into and out of that memory.
 */
import { host } from '#host';
import { ValueError } from '../errors.ts';
import { Arena } from '../memory/arena.ts';
import { Heap, type Ptr } from '../memory/heap.ts';
import { describe, oneOf, withDefaults } from '../options.ts';
import { hasRelaxedSimd, type Numerics } from './instance.ts';
import type { Kernels } from './kernels.ts';
import { ReferenceKernels, ReferenceMemory } from './reference.ts';
import { canShareMemory, setWorkerUrl } from './threads.ts';

export { canShareMemory } from './threads.ts';

import { WasmKernels } from './wasm.ts';
import { WasmMemory } from './wasm-memory.ts';

/** More threads than this are useless, because a job has at most as many chunks. */
const MAX_THREADS = 64;

export const BACKENDS = ['wasm', 'reference'] as const;
/** `wasm` computes in float32 with WebAssembly SIMD. `reference` computes in float64 with plain TypeScript. */
export type BackendName = (typeof BACKENDS)[number];

export const NUMERICS = ['strict', 'relaxed', 'auto'] as const;

export const CONVOLUTIONS = ['standard', 'fast'] as const satisfies readonly Convolutions[];
/** The size of Winograd's tiles for 3x3 convolutions: see `setConvolutions`. */
export type Convolutions = 'standard' | 'fast';

/** The type that `toTypedArray` returns: float32 from the WebAssembly backend, float64 from the reference. */
export type FloatArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** What computes: its numbers, its threads, and the memory and kernels behind them. */
export interface Backend {
  /** The name that `setBackend` takes. */
  readonly name: BackendName;
  /**
   * `strict` gives the same bits everywhere. `relaxed` is faster and correct within a tolerance. `float64` is the
   * reference.
   */
  readonly numerics: 'strict' | 'relaxed' | 'float64';
  /** `fast` uses larger tiles of Winograd's algorithm: see `setConvolutions`. */
  readonly convolutions: Convolutions;
  /**
   * Whether multiply-adds are rounded once. That is so in the relaxed build if the engine fuses them. We find out by
   * trying.
   */
  readonly fused: boolean;
  /** The number of threads that compute, including the caller. */
  readonly threads: number;
  /** @internal */
  readonly kernels: Kernels;
  /** @internal */
  readonly heap: Heap;
  /** @internal */
  readonly arena: Arena;
  /** Bytes of an element. */
  readonly elementBytes: number;
  /** One element. @internal */
  at(ptr: Ptr): number;
  /** Copies n elements to a new array. @internal */
  read(ptr: Ptr, n: number): FloatArray;
  /** Copies n 32-bit words to a new array, such as the result of `randomBits`. @internal */
  readWords(ptr: Ptr, n: number): Uint32Array<ArrayBuffer>;
  /** Copies numbers into the memory. @internal */
  write(ptr: Ptr, values: ArrayLike<number>): void;
  /** Copies 32-bit words into the memory, such as indices. A word takes at most the room of an element. @internal */
  writeWords(ptr: Ptr, words: Int32Array): void;
  /** A view of n elements. It is valid until the next allocation. @internal */
  view(ptr: Ptr, n: number): Float32Array | Float64Array;
}

/** @internal because its types name WebAssembly, which a program without the `dom` library does not know */
export interface WasmBackend extends Backend {
  readonly name: 'wasm';
  readonly kernels: WasmKernels;
  /** Ends the worker threads. The memory is freed when the last tensor in it is collected. */
  stop(): void;
}

/**
 * A separate backend on float32 WebAssembly kernels.
 * @param options `maxPages` of 64 KiB limit its memory; `threads`, `numerics` and `convolutions` as in
 *   `setThreads`, `setNumerics` and `setConvolutions`
 * @internal
 */
export function createWasmBackend(
  options: { maxPages?: number; threads?: number; numerics?: Numerics; convolutions?: Convolutions } = {},
): WasmBackend {
  const memory = new WasmMemory(options.maxPages);
  const kernels = new WasmKernels(memory, options.numerics ?? 'strict', options.threads ?? 1);
  kernels.fast = options.convolutions === 'fast';
  const { heap } = kernels;
  const view = (ptr: Ptr, n: number) => new Float32Array(memory.memory.buffer, ptr, n);
  return {
    name: 'wasm',
    get numerics() {
      return kernels.numerics;
    },
    get convolutions() {
      return kernels.fast ? 'fast' : 'standard';
    },
    get fused() {
      return kernels.fused;
    },
    get threads() {
      return kernels.threads;
    },
    kernels,
    heap,
    arena: new Arena(heap),
    elementBytes: 4,
    at: (ptr) => memory.f32[ptr / 4],
    // We also copy an empty array, so that no caller gets shared memory.
    read: (ptr, n) => new Float32Array(view(ptr, n)),
    readWords: (ptr, n) => new Uint32Array(new Uint32Array(memory.memory.buffer, ptr, n)),
    write: (ptr, values) => memory.f32.set(values, ptr / 4),
    writeWords: (ptr, words) => new Int32Array(memory.memory.buffer, ptr, words.length).set(words),
    view,
    stop: () => kernels.stopThreads(),
  };
}

/** A backend on the plain TypeScript kernels in float64. */
export function createReferenceBackend(): Backend {
  const memory = new ReferenceMemory();
  const heap = new Heap(memory, 64);
  const view = (ptr: Ptr, n: number) => memory.f64.subarray(ptr / 8, ptr / 8 + n);
  return {
    name: 'reference',
    numerics: 'float64',
    convolutions: 'standard',
    fused: false,
    threads: 1,
    kernels: new ReferenceKernels(memory),
    heap,
    arena: new Arena(heap),
    elementBytes: 8,
    at: (ptr) => memory.f64[ptr / 8],
    read: (ptr, n) => view(ptr, n).slice(),
    readWords: (ptr, n) => new Uint32Array(memory.f64.buffer, ptr, n).slice(),
    write: (ptr, values) => memory.f64.set(values, ptr / 8),
    writeWords: (ptr, words) => new Int32Array(memory.f64.buffer, ptr, words.length).set(words),
    view,
  };
}

let wasm: WasmBackend | null = null;
let reference: Backend | null = null;
let current: BackendName = 'wasm';
let threads: number | null = null;
let numerics: Numerics = 'strict';
let convolutions: Convolutions = 'standard';

/** The current backend. It is made at the first call. */
export function backend(): Backend {
  if (current === 'reference') return (reference ??= createReferenceBackend());
  return (wasm ??= createWasmBackend({
    threads: threads ?? defaultThreads(),
    numerics,
    convolutions,
  }));
}

/**
 * Sets the backend of all new tensors: `wasm` (float32, fast; the default) or `reference` (float64, plain TypeScript).
 * An operation cannot mix tensors of the two backends.
 * @throws ValueError for any other name
 */
export function setBackend(name: BackendName): void {
  current = oneOf('backend', BACKENDS, name);
}

/** The default number of threads: all that this process may use, or 1 if memory cannot be shared. */
export function defaultThreads(): number {
  return canShareMemory() ? Math.min(MAX_THREADS, host.availableThreads()) : 1;
}

/** Options of `setThreads`. */
export interface ThreadsOptions {
  /**
   * The address of the package's file `langevin/worker` (dist/worker.js) on the page's own site. A page then starts its
   * threads from this file, and its Content-Security-Policy needs `worker-src 'self'`. Without it the threads start from
   * a blob, which needs `worker-src blob:`. Node does not use it. Default: that of the last call, at first none.
   */
  readonly workerUrl?: string | URL;
}

/**
 * Sets the number of threads of the WebAssembly backend, including the caller. Results do not depend on it. If memory
 * cannot be shared (a page without cross-origin isolation), the number stays 1.
 * @throws ValueError unless n is a whole number from 1 to 64, and for an unknown option
 */
export function setThreads(n: number, options: ThreadsOptions = {}): void {
  if (!Number.isInteger(n) || n < 1 || n > MAX_THREADS) {
    throw new ValueError(`threads: expected a whole number from 1 to ${MAX_THREADS}, got ${n}`);
  }
  const { workerUrl } = withDefaults('setThreads', options, { workerUrl: undefined });
  if (workerUrl !== undefined) setWorkerUrl(addressOf(workerUrl));
  threads = canShareMemory() ? n : 1;
  if (wasm) wasm.kernels.threads = threads;
}

/** @throws ValueError for anything but a text and a URL */
function addressOf(url: string | URL): string {
  if ((typeof url === 'string' && url !== '') || url instanceof URL) return String(url);
  throw new ValueError(`setThreads: expected workerUrl to be an address, got ${describe(url)}`);
}

/**
 * Sets the build of the kernels: `strict` (the same bits everywhere; the default), `relaxed` (fused multiply-add,
 * faster), or `auto` (relaxed if the engine supports it, else strict). Existing tensors do not change.
 * @throws ValueError for any other name, and for `relaxed` if the engine does not support relaxed SIMD
 */
export function setNumerics(choice: (typeof NUMERICS)[number]): void {
  const wanted = oneOf('numerics', NUMERICS, choice);
  if (wanted === 'relaxed' && !hasRelaxedSimd()) {
    throw new ValueError(
      `numerics: relaxed needs relaxed SIMD, which ${host.engine} lacks: use strict or auto`,
    );
  }
  numerics = wanted === 'auto' ? (hasRelaxedSimd() ? 'relaxed' : 'strict') : wanted;
  if (wasm) wasm.kernels.numerics = numerics;
}

/**
 * Sets how the WebAssembly backend computes 3x3 convolutions with stride 1 and at least 32 channels on both sides:
 * `standard` is Winograd's F(2x2, 3x3); the default. `fast` is F(4x4, 3x3), for the forward pass and for the gradient to
 * the input. It needs 0.56 times as many products if its tiles fill the map. Its error is three to four times that of
 * `standard`: at most 1.3e-6 of the rms of the results for 32 to 132 channels. The bits depend on the choice. With
 * strict numerics they are the same on every machine for either.
 * @throws ValueError for any other name
 */
export function setConvolutions(choice: Convolutions): void {
  convolutions = oneOf('convolutions', CONVOLUTIONS, choice);
  if (wasm) wasm.kernels.fast = convolutions === 'fast';
}
