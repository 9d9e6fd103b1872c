/**
 * The whole ABI of the kernel module: byte offsets in, byte offsets out. No objects, no static data and no
 * start function, so that any number of instances may share one memory (asconfig.json: runtime stub).
 */

export { init } from './constants';
export { copy, fill } from './copy';
export * from './elementwise';
export { gaussian, randomBits, uniform } from './gaussian';
export { attach, scratchBytes } from './scratch';
export { gemm } from './gemm';
export { adam, sgd } from './optim';
export { isFused, peakMulAdd } from './peak';
export {
  maxOf as max, mse, mseBackward, squaredErrorBlocks, storeTotal, sum, sumBlocks, sumSquares, sumSquaresBlocks,
} from './reduce';
export { affinePath } from './sde';

/** The first byte that no kernel uses: the heap starts here. */
export function heapBase(): usize {
  return __heap_base;
}
