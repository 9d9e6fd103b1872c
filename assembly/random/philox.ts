/**
 * Philox4x32-10, four counters at a time: random bits as a pure function of (key, counter), without state.
 *
 * The 64-bit key is the seed. The counter has 128 bits: the low 64 bits are the number of the block, and the high 64
 * the stream. A block is four words of 32 bits.
 *
 * The vector units limit the speed. A round has twenty operations, and eight of them only rearrange operands for the
 * multiplication. So the key's schedule is loaded, and not computed again for every block.
 *
 * Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */
import { constant, PHILOX } from '../constants';

/** Bytes of a key's schedule: two words for each of ten rounds. */
export const SCHEDULE_BYTES: i32 = 80;

/** Writes the schedule of a key to `at`. The words of a round are those of the round before plus two constants. */
export function schedule(key: u64, at: usize): void {
  let k0 = <u32>key;
  let k1 = <u32>(key >> 32);
  for (let end = at + SCHEDULE_BYTES; at < end; at += 8) {
    i32.store(at, k0);
    i32.store(at, k1, 4);
    k0 += i32.load(PHILOX, 8);
    k1 += i32.load(PHILOX, 12);
  }
}

/**
 * Blocks `block .. block + 3`, where lane l is block + l. Word w of all four is stored at out + 16·w (64 bytes).
 * @param keys the key's schedule
 */
// @ts-ignore: decorator
@inline
export function philox4(keys: usize, stream: u64, block: u64, out: usize): void {
  const low = i64x2.add(i64x2.splat(block), i64x2(0, 1));
  const high = i64x2.add(i64x2.splat(block), i64x2(2, 3));
  let c0 = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
  let c1 = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  let c2 = i32x4.splat(<i32>stream);
  let c3 = i32x4.splat(<i32>(stream >> 32));
  const m0 = constant(PHILOX, 0);
  const m1 = constant(PHILOX, 1);
  // prettier-ignore
  for (let k = keys, end = keys + SCHEDULE_BYTES; k < end; k += 16) {
    // 64-bit products of 32-bit words. One vector holds those of lanes 0 and 1, the other those of lanes 2 and 3.
    let p = i64x2.extmul_low_i32x4_u(c0, m0), q = i64x2.extmul_high_i32x4_u(c0, m0);
    let r = i64x2.extmul_low_i32x4_u(c2, m1), s = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(r, s, 1, 3, 5, 7), c1), v128.load32_splat(k));
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(p, q, 1, 3, 5, 7), c3), v128.load32_splat(k, 4));
    c1 = v128.shuffle<i32>(r, s, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(p, q, 0, 2, 4, 6);
    // The second of two rounds.
    p = i64x2.extmul_low_i32x4_u(c0, m0); q = i64x2.extmul_high_i32x4_u(c0, m0);
    r = i64x2.extmul_low_i32x4_u(c2, m1); s = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(r, s, 1, 3, 5, 7), c1), v128.load32_splat(k, 8));
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(p, q, 1, 3, 5, 7), c3), v128.load32_splat(k, 12));
    c1 = v128.shuffle<i32>(r, s, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(p, q, 0, 2, 4, 6);
  }
  v128.store(out, c0);
  v128.store(out, c1, 16);
  v128.store(out, c2, 32);
  v128.store(out, c3, 48);
}
