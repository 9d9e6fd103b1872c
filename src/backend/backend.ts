/**
 * The two backends and which of them is in use. A backend is its kernels, its memory with a heap and an
 * arena, and the way in and out of that memory for plain arrays.
 */
import { didYouMean, ValueError } from '../errors.ts';
import { Arena } from '../memory/arena.ts';
import { Heap, type Ptr } from '../memory/heap.ts';
import type { Kernels } from './kernels.ts';
import { ReferenceKernels, ReferenceMemory } from './reference.ts';
import { WasmKernels, WasmMemory } from './wasm.ts';

export const BACKENDS = ['wasm', 'reference'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** `strict` gives the same bits everywhere; `float64` is the reference. */
export type Numerics = 'strict' | 'float64';

/** What `toTypedArray` gives: float32 from the WebAssembly backend, float64 from the reference. */
export type FloatArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

export interface Backend {
  readonly name: BackendName;
  readonly numerics: Numerics;
  readonly kernels: Kernels;
  readonly heap: Heap;
  readonly arena: Arena;
  /** Bytes of an element. */
  readonly elementBytes: number;
  /** Copies n elements out. */
  read(ptr: Ptr, n: number): FloatArray;
  /** Copies n words of 32 bits out: what `randomBits` wrote. */
  readWords(ptr: Ptr, n: number): Uint32Array<ArrayBuffer>;
  /** Copies numbers in. */
  write(ptr: Ptr, values: ArrayLike<number>): void;
  /** A view of n elements, good until the next allocation. */
  view(ptr: Ptr, n: number): Float32Array | Float64Array;
}

/** A backend on float32 WebAssembly kernels; `maxPages` of 64 KiB bound its memory. */
export function createWasmBackend(maxPages?: number): Backend & { readonly kernels: WasmKernels } {
  const memory = new WasmMemory(maxPages);
  const kernels = new WasmKernels(memory);
  const heap = new Heap(memory, kernels.heapBase);
  const view = (ptr: Ptr, n: number) => new Float32Array(memory.memory.buffer, ptr, n);
  return {
    name: 'wasm',
    numerics: 'strict',
    kernels,
    heap,
    arena: new Arena(heap),
    elementBytes: 4,
    // A copy is made even of an empty array, so that no caller holds shared memory.
    read: (ptr, n) => new Float32Array(view(ptr, n)),
    readWords: (ptr, n) => new Uint32Array(new Uint32Array(memory.memory.buffer, ptr, n)),
    write: (ptr, values) => view(ptr, values.length).set(values),
    view,
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
    kernels: new ReferenceKernels(memory),
    heap,
    arena: new Arena(heap),
    elementBytes: 8,
    read: (ptr, n) => view(ptr, n).slice(),
    readWords: (ptr, n) => new Uint32Array(memory.f64.buffer, ptr, n).slice(),
    write: (ptr, values) => view(ptr, values.length).set(values),
    view,
  };
}

const created = new Map<BackendName, Backend>();
let current: BackendName = 'wasm';

/** The backend in use; made when it is first asked for. */
export function backend(): Backend {
  let made = created.get(current);
  if (!made) {
    made = current === 'wasm' ? createWasmBackend() : createReferenceBackend();
    created.set(current, made);
  }
  return made;
}

/**
 * Chooses the backend of all tensors made from here on: `wasm` (float32, fast; the default) or `reference`
 * (float64, plain TypeScript). Tensors of the two cannot be mixed.
 * @throws ValueError for any other name
 */
export function setBackend(name: BackendName): void {
  if (!BACKENDS.includes(name)) {
    throw new ValueError(
      `backend: expected ${BACKENDS.join(' or ')}, got "${name}".${didYouMean(name, BACKENDS)}`,
    );
  }
  current = name;
}
