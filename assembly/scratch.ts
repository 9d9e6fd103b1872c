/**
 * Each thread's scratch memory: packed panels of the GEMM, one group of random numbers, a key's schedule. The
 * address is a global of the instance, and every thread has an instance of its own over the one memory.
 */
import { CONV_BYTES } from './conv/pass';
import { gemmScratchBytes } from './gemm/blocks';
import { SCHEDULE_BYTES } from './random/philox';

/** Where this instance's scratch memory begins; 64-byte aligned. The GEMM's part is first. */
export let scratch: usize = 0;

/** Bytes of a group of sixteen random numbers. */
const GROUP_BYTES: i32 = 64;

/** Where the last, incomplete group of a random array is made. */
// @ts-ignore: decorator
@inline
export function group(): usize {
  return scratch + gemmScratchBytes();
}

/** Where the schedule of the key in use is. */
// @ts-ignore: decorator
@inline
export function keys(): usize {
  return group() + GROUP_BYTES;
}

/** Where a convolution describes its pass, and the rows of a panel: see conv/pass.ts. */
// @ts-ignore: decorator
@inline
export function convolution(): usize {
  return (keys() + SCHEDULE_BYTES + 15) & ~15;
}

/** Bytes of scratch memory that an instance needs. */
export function scratchBytes(): i32 {
  return gemmScratchBytes() + GROUP_BYTES + SCHEDULE_BYTES + 16 + CONV_BYTES;
}

/** Which thread this instance computes on: 0 is the caller's. */
let thread: i32 = 0;

/**
 * This thread's part of a record's workspace, `bytes` for each thread: memory of a size that depends on shapes, which
 * is used again for the next item and so stays in the cache.
 */
// @ts-ignore: decorator
@inline
export function workspaceOf(workspace: usize, bytes: i32): usize {
  return workspace + <usize>thread * bytes;
}

/** Gives this instance its scratch memory and its thread's number. Called once, before any other kernel. */
export function attach(at: usize, index: i32): void {
  scratch = at;
  thread = index;
}
