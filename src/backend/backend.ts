/**
 * The two backends and which of them is in use. A backend is its kernels, its memory with a heap and an
 * arena, and the way in and out of that memory for plain arrays.
 */
import { host } from '#host';
import { ValueError } from '../errors.ts';
import { Arena } from '../memory/arena.ts';
import { Heap, type Ptr } from '../memory/heap.ts';
import { oneOf } from '../options.ts';
import { hasRelaxedSimd, type Numerics } from './instance.ts';
import type { Kernels } from './kernels.ts';
import { ReferenceKernels, ReferenceMemory } from './reference.ts';
import { canShareMemory } from './threads.ts';

export { canShareMemory } from './threads.ts';

import { WasmKernels } from './wasm.ts';
import { WasmMemory } from './wasm-memory.ts';

/** More threads than this help nobody: a job has at most as many pieces. */
const MAX_THREADS = 64;

export const BACKENDS = ['wasm', 'reference'] as const;
export type BackendName = (typeof BACKENDS)[number];

export const NUMERICS = ['strict', 'relaxed', 'auto'] as const;

/** What `toTypedArray` gives: float32 from the WebAssembly backend, float64 from the reference. */
export type FloatArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

export interface Backend {
  readonly name: BackendName;
  /** `strict` gives the same bits everywhere, `relaxed` is faster and good to a tolerance, `float64` is the reference. */
  readonly numerics: Numerics | 'float64';
  /** Whether multiply-adds are rounded once: in the relaxed build, where the engine fuses them. Found by trying. */
  readonly fused: boolean;
  /** Threads that compute, the caller included. */
  readonly threads: number;
  readonly kernels: Kernels;
  readonly heap: Heap;
  readonly arena: Arena;
  /** Bytes of an element. */
  readonly elementBytes: number;
  /** One element. */
  at(ptr: Ptr): number;
  /** Copies n elements out. */
  read(ptr: Ptr, n: number): FloatArray;
  /** Copies n words of 32 bits out: what `randomBits` wrote. */
  readWords(ptr: Ptr, n: number): Uint32Array<ArrayBuffer>;
  /** Copies numbers in. */
  write(ptr: Ptr, values: ArrayLike<number>): void;
  /** Copies words of 32 bits in: indices, which take at most an element each. */
  writeWords(ptr: Ptr, words: Int32Array): void;
  /** A view of n elements, good until the next allocation. */
  view(ptr: Ptr, n: number): Float32Array | Float64Array;
}

/** @internal its types name WebAssembly, which a program without the `dom` library does not know */
export interface WasmBackend extends Backend {
  readonly name: 'wasm';
  readonly kernels: WasmKernels;
  /** Ends its worker threads. The memory goes when the last tensor on it is collected. */
  stop(): void;
}

/**
 * A backend on float32 WebAssembly kernels, apart from the one in use.
 * @param options `maxPages` of 64 KiB bound its memory; `threads` and `numerics` as in `setThreads`, `setNumerics`
 * @internal
 */
export function createWasmBackend(
  options: { maxPages?: number; threads?: number; numerics?: Numerics } = {},
): WasmBackend {
  const memory = new WasmMemory(options.maxPages);
  const kernels = new WasmKernels(memory, options.numerics ?? 'strict', options.threads ?? 1);
  const { heap } = kernels;
  const view = (ptr: Ptr, n: number) => new Float32Array(memory.memory.buffer, ptr, n);
  return {
    name: 'wasm',
    get numerics() {
      return kernels.numerics;
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
    // A copy is made even of an empty array, so that no caller holds shared memory.
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

/** The backend in use; made when it is first asked for. */
export function backend(): Backend {
  if (current === 'reference') return (reference ??= createReferenceBackend());
  return (wasm ??= createWasmBackend({ threads: threads ?? defaultThreads(), numerics }));
}

/**
 * Chooses the backend of all tensors made from here on: `wasm` (float32, fast; the default) or `reference`
 * (float64, plain TypeScript). Tensors of the two cannot be mixed.
 * @throws ValueError for any other name
 */
export function setBackend(name: BackendName): void {
  current = oneOf('backend', BACKENDS, name);
}

/** The threads that are used unless `setThreads` says otherwise: all that are granted to this process, or 1 where memory cannot be shared. */
export function defaultThreads(): number {
  return canShareMemory() ? Math.min(MAX_THREADS, host.availableThreads()) : 1;
}

/**
 * Sets how many threads the WebAssembly backend computes with, the caller included. Results do not depend on it.
 * Where memory cannot be shared (a page without cross-origin isolation) it stays at 1.
 * @throws ValueError for anything but a whole number from 1 to 64
 */
export function setThreads(n: number): void {
  if (!Number.isInteger(n) || n < 1 || n > MAX_THREADS) {
    throw new ValueError(`threads: expected a whole number from 1 to ${MAX_THREADS}, got ${n}`);
  }
  threads = canShareMemory() ? n : 1;
  if (wasm) wasm.kernels.threads = threads;
}

/**
 * Chooses the build of the kernels: `strict` (the same bits everywhere; the default), `relaxed` (fused
 * multiply-add, faster), or `auto`: relaxed where the engine has it, else strict. Tensors stay as they are.
 * @throws ValueError for any other name, and for `relaxed` where the engine lacks relaxed SIMD
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
