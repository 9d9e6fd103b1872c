/** The functions of the WebAssembly backend that its convolutions use. */
import type { KernelName } from '../abi.ts';
import type { Copy, Gemm, Ptr } from '../kernels.ts';

export interface ConvHost {
  gemm(record: Gemm): void;
  copy(record: Copy): void;
  /** Runs an exported kernel, with `bytes` of memory for each thread. */
  run(name: KernelName, record: object, bytes?: number): void;
  /** Calls `body` with temporary memory of that many elements. */
  withArray(elements: number, body: (array: Ptr) => void): void;
  /** Bytes that Winograd's kernels need for each thread. */
  winogradBytes(): number;
}
