/**
 * Sine and cosine of four float32 lanes, for every angle in radians.
 *
 *     |x| = n·π/2 + r,  |r| <= π/4;   sin |x| = ± sin r or ± cos r by n mod 4,   cos x = sin(|x| + π/2)
 *
 * Angles up to 2^20 are reduced by the method of Cody and Waite (1980) in float64. It writes π/2 as a sum of two
 * numbers, and n times the first number is exact. Larger angles are reduced by the method of Payne and Hanek (1983) in
 * integers. It uses those 96 bits of 2/π that determine n mod 4 and r. Both methods give r with a relative error of
 * 2^-40, also next to multiples of π/2. The polynomials are our own fits in float32: see erf.ts.
 *
 * Accuracy, checked by test/kernels.test.ts: at most 1.5 ulp. sin(-0) = -0; infinities and NaN give NaN.
 */
import {
  constant,
  constantPair,
  EIGHTH_COSINE,
  EIGHTH_SINE,
  ONE,
  polynomial,
  QUARTER_TURN,
  TWO_OVER_PI,
} from '../constants';
import { high, low, narrow } from './pair';
import { scratch } from '../scratch';

/** The largest angle that is reduced in float64. */
const LARGE: f32 = 1048576;

/** n: the number of quarter turns in x, rounded to a whole number. */
// @ts-ignore: decorator
@inline
function quarters(x: v128): v128 {
  return f64x2.nearest(f64x2.mul(x, constantPair(QUARTER_TURN, 0)));
}

/** x - n·π/2 */
// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128): v128 {
  const r = f64x2.sub(x, f64x2.mul(n, constantPair(QUARTER_TURN, 2)));
  return f64x2.sub(r, f64x2.mul(n, constantPair(QUARTER_TURN, 3)));
}

/** x·2/π mod 4 as a multiple of 2^-62, for the bits of a finite x > 2^20 = LARGE. */
function quartersOfLarge(bits: u32): u64 {
  // x = m·2^e. Bits of 2/π from 2^(2-e) up give only whole turns. The bits that count start at this bit of the table:
  const m = <u64>((bits & 0x007fffff) | 0x00800000);
  const first = (bits >> 23) - 150 + 30;
  const word = TWO_OVER_PI + ((first >> 5) << 2);
  const shift = <u64>(first & 31);
  const a = (i64.load32_u(word) << 32) | i64.load32_u(word, 4);
  const b = (i64.load32_u(word, 8) << 32) | i64.load32_u(word, 12);
  const head = (a << shift) | ((b >>> 1) >>> (63 - shift));
  const tail = (b << shift) >>> 32;
  return m * head + ((m * tail) >>> 32);
}

/**
 * Reduces those of the four angles at `scratch` that are large. Writes r to scratch + 16, and n mod 4 to scratch + 32.
 */
function reduceLarge(): void {
  for (let at = scratch; at < scratch + 16; at += 4) {
    const x = f32.load(at);
    if (!(x > LARGE && x < Infinity)) continue;
    const turned = quartersOfLarge(i32.load(at));
    const n = (turned + ((<u64>1) << 61)) >> 62;
    // In units of π/2·2^-62
    f32.store(at, <f32>(<f64>(<i64>(turned - (n << 62))) * 3.4061215800865545e-19), 16);
    i32.store(at, <i32>n, 32);
  }
}

/** The sine of x, or the sine of |x| + π/2 if `quarter` is 1. */
// @ts-ignore: decorator
@inline
function sine(x: v128, quarter: i32): v128 {
  const a = f32x4.abs(x);
  const lower = quarters(low(a));
  const upper = quarters(high(a));
  let r = narrow(remainder(low(a), lower), remainder(high(a), upper));
  const bits = constantPair(QUARTER_TURN, 1);
  let n = v128.shuffle<i32>(f64x2.add(lower, bits), f64x2.add(upper, bits), 0, 2, 4, 6);
  if (v128.any_true(f32x4.gt(a, f32x4.splat(LARGE)))) {
    v128.store(scratch, a);
    v128.store(scratch, r, 16);
    v128.store(scratch, n, 32);
    reduceLarge();
    r = v128.load(scratch, 16);
    n = v128.load(scratch, 32);
  }
  if (quarter) n = i32x4.add(n, i32x4.splat(1));
  const z = f32x4.mul(r, r);
  const s = f32x4.add(f32x4.mul(f32x4.mul(polynomial(EIGHTH_SINE, 3, z), z), r), r);
  // 1 - z/2 is rounded to w. The rounding error is known: (1 - w) - z/2.
  const one = constant(ONE, 0);
  const half = f32x4.mul(z, f32x4.splat(0.5));
  const w = f32x4.sub(one, half);
  const lost = f32x4.sub(f32x4.sub(one, w), half);
  const c = f32x4.add(w, f32x4.add(f32x4.mul(f32x4.mul(polynomial(EIGHTH_COSINE, 3, z), z), z), lost));
  const y = v128.bitselect(c, s, i32x4.shr_s(i32x4.shl(n, 31), 31));
  // The sign changes in the lower half of a turn and, for the sine, for a negative x.
  const sign = quarter ? i32x4.shl(n, 30) : v128.xor(i32x4.shl(n, 30), x);
  return v128.xor(y, v128.and(sign, i32x4.splat(0x80000000)));
}

/** sin x */
export function sin4(x: v128): v128 {
  return sine(x, 0);
}

/** cos x */
export function cos4(x: v128): v128 {
  return sine(x, 1);
}
