/**
 * Random arrays from Philox: bits, uniforms and standard normals. Element i of the array that begins at block b is a
 * function of (key, stream, b, i) only. Sixteen elements, a group, are made from four blocks.
 *
 * Normals by Box and Muller: (r cos θ, r sin θ) with r = sqrt(-2 ln u). For elements 0..7 of a group (four cosines,
 * then four sines), word 0 gives the radius and word 1 the angle. For elements 8..15 these are words 2 and 3. u = (w +
 * 1/2)·2^-31, where w is the upper 31 bits of the word. (Converting 32 unsigned bits would cost five times as much.) So
 * the largest value is sqrt(64 ln 2) = 6.6604. The lower 31 bits of the angle's word give an angle within a quarter
 * turn to either side. Its top bit adds half a turn, which negates both normals.
 *
 * Accuracy against float64, checked by test/random.test.ts: the error of a pair, as a length in the plane, is at most
 * 4e-7·r for a given u. That is 2.7e-6 for the largest r. u itself is rounded to 24 bits. Near u = 1, where r is small,
 * this changes r by up to 2^-24/r, and by 2.4e-4 if u rounds to 1.
 */
import { ANGLE, COSINE, constant, LN_RATIO, ONE, polynomial, SINE } from '../constants';
import { RandomRecord } from '../records';
import { philox4, schedule } from './philox';
import { group as last, keys } from '../scratch';

/** The number of elements in a group, and in a chunk that stays in L1. */
const GROUP: i32 = 16;
const CHUNK: i32 = 1024;

/**
 * sqrt(-2 ln u) of four words. w + 1/2 = 2^k·m with m in [sqrt(1/2), sqrt(2)), so ln u = (k - 31)·ln 2 + ln m. With s =
 * (m-1)/(m+1), |s| < 0.172: -2 ln m = -4 artanh s = s·p(s²). The division saves half of a polynomial.
 */
// @ts-ignore: decorator
@inline
function radius(word: v128): v128 {
  const x = f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_u(word, 1)), constant(ANGLE, 1));
  // The method is logNormal's. We also subtract 31 from the exponent field: k - 31 is exactly 0 for u near 1.
  const bits = i32x4.sub(x, constant(ANGLE, 2));
  const k = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const m = i32x4.add(v128.and(bits, constant(ANGLE, 3)), constant(ANGLE, 4));
  const one = constant(ONE, 0);
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const p = f32x4.mul(polynomial(LN_RATIO, 4, f32x4.mul(s, s)), s);
  return f32x4.sqrt(f32x4.add(p, f32x4.mul(k, constant(ANGLE, 5))));
}

/** Replaces the words at `at` (radius) and `at + 16` (angle) by eight normals. */
// @ts-ignore: decorator
@inline
export function boxMuller(at: usize): void {
  const angle = v128.load(at, 16);
  const r = v128.xor(radius(v128.load(at)), v128.and(angle, constant(ANGLE, 6)));
  const x = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shl(angle, 1)), constant(ANGLE, 0));
  const z = f32x4.mul(x, x);
  v128.store(at, f32x4.mul(r, polynomial(COSINE, 5, z)));
  v128.store(at, f32x4.mul(r, f32x4.mul(polynomial(SINE, 5, z), x)), 16);
}

/**
 * The items [from, to) of n standard normals. `from` is a multiple of a group. The last group is made in scratch
 * memory.
 */
export function gaussian(from: i32, to: i32, r: RandomRecord): void {
  schedule(r.seed, keys());
  const stream = r.stream;
  let n = to - from;
  let out = r.out + (from << 2);
  let block = blockOf(from, r);
  // We make the words of a whole chunk, then the normals in their place. The iterations of each loop are
  // independent. If each group's normals followed its words, the operations would be one long chain.
  while (n >= GROUP) {
    const chunk = min(n, CHUNK) & ~(GROUP - 1);
    const end = out + (chunk << 2);
    for (let at = out; at < end; at += GROUP << 2, block += 4) philox4(keys(), stream, block, at);
    for (; out < end; out += 32) boxMuller(out);
    n -= chunk;
  }
  if (n > 0) {
    philox4(keys(), stream, block, last());
    boxMuller(last());
    boxMuller(last() + 32);
    memory.copy(out, last(), (<usize>n) << 2);
  }
}

/** A group's words in the order of the blocks: block 0's four words, then block 1's, and so on. */
// @ts-ignore: decorator
@inline
function inBlockOrder(at: usize, toUniform: bool): void {
  const r0 = v128.load(at);
  const r1 = v128.load(at, 16);
  const r2 = v128.load(at, 32);
  const r3 = v128.load(at, 48);
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
  const t1 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
  const t2 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  put(at, v128.shuffle<i64>(t0, t2, 0, 2), toUniform);
  put(at + 16, v128.shuffle<i64>(t0, t2, 1, 3), toUniform);
  put(at + 32, v128.shuffle<i64>(t1, t3, 0, 2), toUniform);
  put(at + 48, v128.shuffle<i64>(t1, t3, 1, 3), toUniform);
}

// @ts-ignore: decorator
@inline
function put(at: usize, word: v128, toUniform: bool): void {
  // The top 24 bits, times 2^-24. This is exact and gives every multiple of 2^-24 in [0, 1).
  const uniform = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), f32x4.splat(5.960464477539063e-8));
  v128.store(at, toUniform ? uniform : word);
}

/** The block with which element `from` begins. A group of sixteen uses four blocks. */
// @ts-ignore: decorator
@inline
function blockOf(from: i32, r: RandomRecord): u64 {
  return r.block + <u64>(from >> 2);
}

// @ts-ignore: decorator
@inline
function inOrder(from: i32, to: i32, r: RandomRecord, toUniform: bool): void {
  schedule(r.seed, keys());
  const stream = r.stream;
  let n = to - from;
  let out = r.out + (from << 2);
  let block = blockOf(from, r);
  for (; n >= GROUP; n -= GROUP, out += GROUP << 2, block += 4) {
    philox4(keys(), stream, block, out);
    inBlockOrder(out, toUniform);
  }
  if (n > 0) {
    philox4(keys(), stream, block, last());
    inBlockOrder(last(), toUniform);
    memory.copy(out, last(), (<usize>n) << 2);
  }
}

/** Words of 32 random bits. */
export function randomBits(from: i32, to: i32, r: RandomRecord): void {
  inOrder(from, to, r, false);
}

/** Uniforms in [0, 1), multiples of 2^-24. */
export function uniform(from: i32, to: i32, r: RandomRecord): void {
  inOrder(from, to, r, true);
}
