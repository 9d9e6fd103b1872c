/**
 * The builds of the kernels, and instances of them over a memory.
 *
 * Strict uses plain SIMD and gives the same bits everywhere. Relaxed multiplies and adds in one instruction in
 * the GEMM's tile, where the engine knows relaxed SIMD: faster, and good to a tolerance only.
 */
import relaxed from '../../build/relaxed.wasm';
import strict from '../../build/strict.wasm';
import { LangevinError } from '../errors.ts';
import type { Ptr } from '../memory/heap.ts';
import type { BinaryName, ReduceName, UnaryName } from './kernels.ts';

export type Numerics = 'strict' | 'relaxed';

const BUILDS: Record<Numerics, Uint8Array<ArrayBuffer>> = { strict, relaxed };
const compiled = new Map<Numerics, WebAssembly.Module>();

/** The exports of assembly/index.ts. */
export interface Exports extends Record<UnaryName | BinaryName | ReduceName, (...args: number[]) => void> {
  heapBase(): Ptr;
  scratchBytes(): number;
  attach(scratch: Ptr): void;
  init(): void;
  isFused(at: Ptr): number;
  peakMulAdd(n: number, at: Ptr): number;
  gemm(...args: number[]): void;
  copy(...args: number[]): void;
  fill(n: number, y: Ptr, value: number): void;
  sumBlocks(...args: number[]): void;
  sumSquaresBlocks(...args: number[]): void;
  squaredErrorBlocks(...args: number[]): void;
  storeTotal(y: Ptr, total: number, alpha: number, accumulate: number): void;
  mse(n: number, a: Ptr, b: Ptr, y: Ptr): void;
  mseBackward(...args: number[]): void;
  adam(...args: number[]): void;
  sgd(...args: number[]): void;
  gaussian(...args: number[]): void;
  uniform(...args: number[]): void;
  randomBits(...args: number[]): void;
  affinePath(...args: number[]): void;
}

/** Whether this engine can run the relaxed build. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxed);
}

/** The bytes of a build: what a recorded result names by their hash. */
export function kernelBytes(numerics: Numerics): Uint8Array<ArrayBuffer> {
  return BUILDS[numerics];
}

/**
 * An instance of the kernels over `memory`; a module is compiled once.
 * @throws LangevinError where the engine lacks SIMD or threads
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
    module = new WebAssembly.Module(BUILDS[numerics]);
    compiled.set(numerics, module);
  }
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { module, exports: exports as unknown as Exports };
}
