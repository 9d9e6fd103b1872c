/**
 * Each thread's scratch memory: packed panels of the GEMM, one group of random numbers, and a key's schedule. Its
 * address is a global of the instance. Every thread has an instance of its own over the shared memory.
 */
import { CONV_BYTES, ROW_BYTES } from './conv/pass';
import { gemmScratchBytes, KC, MOST_MR, MR, NR } from './gemm/blocks';
import { SCHEDULE_BYTES } from './random/philox';

/** The begin of this instance's scratch memory, 64-byte aligned. The GEMM's part is first. */
export let scratch: usize = 0;

/** Bytes of a group of sixteen random numbers. */
const GROUP_BYTES: i32 = 64;

/** The place where the last, incomplete group of a random array is made. */
// @ts-ignore: decorator
@inline
export function group(): usize {
  return scratch + gemmScratchBytes();
}

/** The place of the current key's schedule. */
// @ts-ignore: decorator
@inline
export function keys(): usize {
  return group() + GROUP_BYTES;
}

/** The place where a convolution describes its pass and the rows of a panel: see conv/pass.ts. */
// @ts-ignore: decorator
@inline
export function convolution(): usize {
  return (keys() + SCHEDULE_BYTES + 15) & ~15;
}

/**
 * What the build with the larger tile needs in addition. Both builds reserve it, because an engine can change its build
 * and keeps its scratch memory.
 */
const SPARE_BYTES: i32 = (MOST_MR - MR) * (((KC + NR) << 2) + ROW_BYTES);

/** Bytes of scratch memory that an instance needs, the same in both builds. */
export function scratchBytes(): i32 {
  return gemmScratchBytes() + GROUP_BYTES + SCHEDULE_BYTES + 16 + CONV_BYTES + SPARE_BYTES;
}

/** The thread of this instance. The caller's thread is 0. */
let thread: i32 = 0;

/**
 * This thread's part of a record's workspace, with `bytes` for each thread. Its size depends on shapes. It is used
 * again for the next item, so it stays in the cache.
 */
// @ts-ignore: decorator
@inline
export function workspaceOf(workspace: usize, bytes: i32): usize {
  return workspace + <usize>thread * bytes;
}

/** Sets the scratch memory and the thread's number of this instance. Call it once, before any other kernel. */
export function attach(at: usize, index: i32): void {
  scratch = at;
  thread = index;
}
