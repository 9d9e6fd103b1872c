/** The sizes that the GEMM works in: the register tile, and the blocks that fit the caches. */

/** Rows and columns of the register tile: tile-4x8.ts in the strict build, tile-6x8-fma.ts in the relaxed one. */
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
export const NR: i32 = 8;

/** Steps of k a block: a packed panel of A is KC·MR·4 = 6 to 9 KiB, well inside L1. */
export const KC: i32 = 400;
/** Floats of a packed block of B: 375 KiB, well inside L2. A short k leaves room for more columns. */
export const BLOCK: i32 = 240 * KC;

/** Bytes of scratch memory that a thread needs: a block of B, a panel of A, and one edge tile. */
export function gemmScratchBytes(): i32 {
  return (BLOCK + KC * MR + MR * NR) << 2;
}
