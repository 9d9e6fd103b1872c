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
  /** Whether the program chose fast convolutions, Winograd's F(4x4, 3x3). */
  readonly fast: boolean;
  /** Bytes that one of Winograd's kernels needs for each thread. */
  workspaceBytes(name: 'winograd' | 'winograd4'): number;
}
