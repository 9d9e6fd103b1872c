/**
 * Philox4x32-10, four counters at a time: random bits as a pure function of (key, counter), with no state.
 *
 * The 64-bit key is the seed; of the 128-bit counter the low 64 bits number the block, the high 64 the
 * stream. A block is four words of 32 bits.
 *
 * Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */

import { constant, PHILOX } from './constants';

/**
 * Blocks `block .. block + 3`, lane l for block + l: word w of all four is stored at out + 16·w (64 bytes).
 */
// @ts-ignore: decorator
@inline
export function philox4(key: u64, stream: u64, block: u64, out: usize): void {
  const low = i64x2.add(i64x2.splat(block), i64x2(0, 1)), high = i64x2.add(i64x2.splat(block), i64x2(2, 3));
  let c0 = v128.shuffle<i32>(low, high, 0, 2, 4, 6), c1 = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  let c2 = i32x4.splat(<i32>stream), c3 = i32x4.splat(<i32>(stream >> 32));
  let k0 = i32x4.splat(<i32>key), k1 = i32x4.splat(<i32>(key >> 32));
  const m0 = constant(PHILOX, 0), m1 = constant(PHILOX, 1), w0 = constant(PHILOX, 2), w1 = constant(PHILOX, 3);
  for (let round = 0; round < 5; ++round) {
    // Products of 32 by 32 bits, lanes 0 and 1 in one vector and lanes 2 and 3 in the other.
    let p = i64x2.extmul_low_i32x4_u(c0, m0), q = i64x2.extmul_high_i32x4_u(c0, m0);
    let r = i64x2.extmul_low_i32x4_u(c2, m1), s = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(r, s, 1, 3, 5, 7), c1), k0);
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(p, q, 1, 3, 5, 7), c3), k1);
    c1 = v128.shuffle<i32>(r, s, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(p, q, 0, 2, 4, 6);
    k0 = i32x4.add(k0, w0);
    k1 = i32x4.add(k1, w1);
    // The second of two rounds.
    p = i64x2.extmul_low_i32x4_u(c0, m0); q = i64x2.extmul_high_i32x4_u(c0, m0);
    r = i64x2.extmul_low_i32x4_u(c2, m1); s = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(r, s, 1, 3, 5, 7), c1), k0);
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(p, q, 1, 3, 5, 7), c3), k1);
    c1 = v128.shuffle<i32>(r, s, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(p, q, 0, 2, 4, 6);
    k0 = i32x4.add(k0, w0);
    k1 = i32x4.add(k1, w1);
  }
  v128.store(out, c0);
  v128.store(out, c1, 16);
  v128.store(out, c2, 32);
  v128.store(out, c3, 48);
}
