/**
 * The builds of the kernels, and instances of them over a memory.
 *
 * The strict build uses plain SIMD and gives the same bits everywhere. The relaxed build multiplies and adds in one
 * instruction in the GEMM's tile, if the engine supports relaxed SIMD. It is faster, but correct only within a
 * tolerance.
 */
import relaxed from '../../build/relaxed.wasm';
import strict from '../../build/strict.wasm';
import { LangevinError } from '../errors.ts';
import type { Ptr } from '../memory/heap.ts';
import type { KernelName } from './abi.ts';
import type { Kernel } from './control.ts';

export type Numerics = 'strict' | 'relaxed';

const BUILDS: Record<Numerics, Uint8Array<ArrayBuffer>> = { strict, relaxed };
const compiled = new Map<Numerics, WebAssembly.Module>();

/** The exports of assembly/index.ts: every kernel of the ABI, and the function that prepares an instance. */
export interface Exports extends Readonly<Record<KernelName, Kernel>> {
  heapBase(): Ptr;
  scratchBytes(): number;
  winogradBytes(): number;
  winograd4Bytes(): number;
  attach(scratch: Ptr, thread: number): void;
  init(): void;
  isFused(at: Ptr): number;
}

/** Sets the bytes of a build, before the first instance of it. The page fetches the relaxed build only if it is needed. */
export function setBuild(numerics: Numerics, bytes: Uint8Array<ArrayBuffer>): void {
  BUILDS[numerics] = bytes;
}

/** Whether this engine can run the relaxed build. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(BUILDS.relaxed);
}

/** The bytes of a build. Recorded results contain the hash of these bytes. */
export function kernelBytes(numerics: Numerics): Uint8Array<ArrayBuffer> {
  return BUILDS[numerics];
}

function compile(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    // The bytes are valid, so a policy forbids it.
    throw new LangevinError(
      `expected an engine that compiles WebAssembly, got: ${(error as Error).message}; in a page, the Content-Security-Policy needs script-src 'wasm-unsafe-eval'`,
      { cause: error },
    );
  }
}

/**
 * An instance of the kernels over `memory`. Each module is compiled only once.
 * @throws LangevinError if the engine does not support SIMD or threads, or the page's policy forbids WebAssembly
 * @internal
 */
export function instantiate(
  numerics: Numerics,
  memory: WebAssembly.Memory,
): { module: WebAssembly.Module; exports: Exports } {
  let module = compiled.get(numerics);
  if (!module) {
    if (!WebAssembly.validate(BUILDS[numerics])) {
      throw new LangevinError(
        `this engine cannot run the ${numerics} kernels: it lacks WebAssembly SIMD or atomics`,
      );
    }
    module = compile(BUILDS[numerics]);
    compiled.set(numerics, module);
  }
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { module, exports: exports as unknown as Exports };
}
