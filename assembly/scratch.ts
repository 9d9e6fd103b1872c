/**
 * Each thread's scratch memory: packed panels of the GEMM, then one group of random numbers. The address is a
 * global of the instance, and every thread has an instance of its own over the one memory.
 */
import { gemmScratchBytes } from './gemm';

/** Where this instance's scratch memory begins; 64-byte aligned. */
export let scratch: usize = 0;

/** Bytes of a group of sixteen random numbers. */
const GROUP: i32 = 64;

/** Bytes of scratch memory that an instance needs. */
export function scratchBytes(): i32 {
  return gemmScratchBytes() + GROUP;
}

/** Gives this instance its scratch memory. Called once, before any other kernel. */
export function attach(at: usize): void {
  scratch = at;
}
