/** The sizes of the GEMM: the register tile, and the blocks that fit the caches. */

/** Rows and columns of the register tile: tile-4x8.ts in the strict build, tile-6x8-fma.ts in the relaxed one. */
export const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
export const NR: i32 = 8;
/** The rows of the larger of the two tiles. */
export const MOST_MR: i32 = 6;

/** The steps of k in a block. A packed panel of A is KC·MR·4 = 6 to 9 KiB, which fits L1 easily. */
export const KC: i32 = 400;
/**
 * The number of floats in a packed block of B: 375 KiB, which fits L2 easily. If k is short, the block has more
 * columns.
 */
export const BLOCK: i32 = 240 * KC;

/**
 * The places of the packed panel of A and of one edge tile in a thread's scratch memory, behind the packed block of B.
 */
export const PACKED_A: usize = BLOCK << 2;
export const EDGE: usize = PACKED_A + ((KC * MR) << 2);

/** The bytes of scratch memory that a thread needs for them. */
export function gemmScratchBytes(): i32 {
  return <i32>EDGE + ((MR * NR) << 2);
}
