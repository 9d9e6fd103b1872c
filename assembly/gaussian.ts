/**
 * Random arrays from Philox: bits, uniforms and standard normals. Element i of the array that begins at
 * block b is a function of (key, stream, b, i) alone: sixteen elements, a group, come from four blocks.
 *
 * Normals by Box and Muller: with u in (0, 1] from one word and an angle from another,
 * r = sqrt(-2 ln u), (r cos θ, r sin θ). Word 0 gives the radius and word 1 the angle of elements 0..7 of a
 * group (four cosines, then four sines), words 2 and 3 those of elements 8..15.
 *
 * u = (word + 1/2)·2^-32, so the largest value is sqrt(66 ln 2) = 6.7637. Accuracy against float64: at most
 * 4e-7 absolute and relative. The angle has 32 bits: two choose the quadrant, thirty the place in it.
 */
import { ANGLE, COSINE, constant, LN2, ONE, polynomial, SINE } from './constants';
import { logNormal } from './exp';
import { philox4 } from './philox';
import { scratch } from './scratch';

/** sqrt(-2 ln u) of four words. */
// @ts-ignore: decorator
@inline
function radius(word: v128): v128 {
  const u = f32x4.mul(f32x4.add(f32x4.convert_i32x4_u(word), constant(LN2, 2)), constant(ANGLE, 1));
  return f32x4.sqrt(f32x4.mul(logNormal(u, i32x4.splat(0)), constant(ANGLE, 2)));
}

/** Turns the words at `at` (radius) and `at + 16` (angle) into eight normals in their place. */
// @ts-ignore: decorator
@inline
function boxMuller(at: usize): void {
  const r = radius(v128.load(at));
  const angle = v128.load(at, 16);
  // The low 30 bits, signed, are the place within ±π/4; the top two turn it by quarter turns.
  const x = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shl(angle, 2)), constant(ANGLE, 0));
  const z = f32x4.mul(x, x);
  const c = f32x4.mul(r, f32x4.add(f32x4.mul(polynomial(COSINE, 4, z), z), constant(ONE, 0)));
  const s = f32x4.mul(r, f32x4.add(f32x4.mul(f32x4.mul(polynomial(SINE, 3, z), z), x), x));
  // Quarter turns k = 0, 1, 2, 3 of (c, s): (c, s), (-s, c), (-c, -s), (s, -c).
  const odd = i32x4.shr_s(i32x4.shl(angle, 1), 31);
  const sign = i32x4.splat(0x80000000);
  const first = v128.xor(v128.bitselect(s, c, odd), v128.and(v128.xor(angle, i32x4.shl(angle, 1)), sign));
  const second = v128.xor(v128.bitselect(c, s, odd), v128.and(angle, sign));
  v128.store(at, first);
  v128.store(at, second, 16);
}

/** A 64-bit word from its halves: a number of JavaScript has no 64 bits, and a BigInt costs an allocation. */
// @ts-ignore: decorator
@inline
function word64(low: u32, high: u32): u64 {
  return <u64>low | (<u64>high << 32);
}

/** n standard normals at `out`, from block `block` on. The last group is made in scratch memory. */
export function gaussian(
  n: i32, out: usize, keyLow: u32, keyHigh: u32, streamLow: u32, streamHigh: u32, blockLow: u32, blockHigh: u32,
): void {
  const key = word64(keyLow, keyHigh), stream = word64(streamLow, streamHigh);
  let block = word64(blockLow, blockHigh);
  for (; n >= 16; n -= 16, out += 64, block += 4) {
    philox4(key, stream, block, out);
    boxMuller(out);
    boxMuller(out + 32);
  }
  if (n > 0) {
    philox4(key, stream, block, scratch);
    boxMuller(scratch);
    boxMuller(scratch + 32);
    memory.copy(out, scratch, <usize>n << 2);
  }
}

/** A group's words in the order of the blocks: block 0's four words, then block 1's, and so on. */
// @ts-ignore: decorator
@inline
function inBlockOrder(at: usize, toUniform: bool): void {
  const r0 = v128.load(at), r1 = v128.load(at, 16), r2 = v128.load(at, 32), r3 = v128.load(at, 48);
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const t2 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  put(at, v128.shuffle<i64>(t0, t2, 0, 2), toUniform);
  put(at + 16, v128.shuffle<i64>(t0, t2, 1, 3), toUniform);
  put(at + 32, v128.shuffle<i64>(t1, t3, 0, 2), toUniform);
  put(at + 48, v128.shuffle<i64>(t1, t3, 1, 3), toUniform);
}

// @ts-ignore: decorator
@inline
function put(at: usize, word: v128, toUniform: bool): void {
  // The top 24 bits times 2^-24: every multiple of 2^-24 in [0, 1), exactly.
  const uniform = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), f32x4.splat(5.960464477539063e-8));
  v128.store(at, toUniform ? uniform : word);
}

// @ts-ignore: decorator
@inline
function inOrder(n: i32, out: usize, key: u64, stream: u64, block: u64, toUniform: bool): void {
  for (; n >= 16; n -= 16, out += 64, block += 4) {
    philox4(key, stream, block, out);
    inBlockOrder(out, toUniform);
  }
  if (n > 0) {
    philox4(key, stream, block, scratch);
    inBlockOrder(scratch, toUniform);
    memory.copy(out, scratch, <usize>n << 2);
  }
}

/** n words of 32 random bits at `out`. */
export function randomBits(
  n: i32, out: usize, keyLow: u32, keyHigh: u32, streamLow: u32, streamHigh: u32, blockLow: u32, blockHigh: u32,
): void {
  inOrder(n, out, word64(keyLow, keyHigh), word64(streamLow, streamHigh), word64(blockLow, blockHigh), false);
}

/** n uniforms in [0, 1) at `out`, multiples of 2^-24. */
export function uniform(
  n: i32, out: usize, keyLow: u32, keyHigh: u32, streamLow: u32, streamHigh: u32, blockLow: u32, blockHigh: u32,
): void {
  inOrder(n, out, word64(keyLow, keyHigh), word64(streamLow, streamHigh), word64(blockLow, blockHigh), true);
}
