/**
 * The whole ABI of the kernel module: byte offsets in, byte offsets out. No objects, no static data and no
 * start function, so that any number of instances may share one memory (asconfig.json: runtime stub).
 */

export { init } from './constants';
export { copy, fill } from './copy';
export * from './elementwise';
export { gaussian, randomBits, uniform } from './gaussian';
export { gemm, gemmScratchBytes } from './gemm';
export { adam, sgd } from './optim';
export { peakMulAdd } from './peak';
export { maxOf as max, mse, mseBackward, sum, sumSquares } from './reduce';

/** The first byte that no kernel uses: the heap starts here. */
export function heapBase(): usize {
  return __heap_base;
}
