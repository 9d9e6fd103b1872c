/** The sizes that the GEMM works in: the register tile, and the blocks that fit the caches. */

/** Rows and columns of the register tile: tile-4x8.ts in the strict build, tile-6x8-fma.ts in the relaxed one. */
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
export const NR: i32 = 8;

/** Steps of k a block: a packed panel of A is KC·MR·4 = 6 to 9 KiB, well inside L1. */
export const KC: i32 = 400;
/** Floats of a packed block of B: 375 KiB, well inside L2. A short k leaves room for more columns. */
export const BLOCK: i32 = 240 * KC;

/** Where a thread's scratch memory has the packed panel of A and one edge tile, behind the packed block of B. */
export const PACKED_A: usize = BLOCK << 2;
export const EDGE: usize = PACKED_A + ((KC * MR) << 2);

/** Bytes of scratch memory that a thread needs for them. */
export function gemmScratchBytes(): i32 {
  return <i32>EDGE + ((MR * NR) << 2);
}
