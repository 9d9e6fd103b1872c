/**
 * e^x and the natural logarithm of two float64 lanes. Some float32 functions need more digits in between than float32
 * has (erf.ts, pow.ts). The relative error is at most 2^-40, within float32's range. They are not for subnormals or
 * infinities of float64.
 */
import {
  constantPair,
  evenOddPair,
  EXP_PAIR,
  EXP_PAIR_REDUCE,
  LOG_PAIR,
  LOG_PAIR_REDUCE,
  polynomialPair,
} from '../constants';

/** The lower two of four float32 lanes, as float64. */
// @ts-ignore: decorator
@inline
export function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

/** The upper two of four float32 lanes, as float64. */
// @ts-ignore: decorator
@inline
export function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** Four float32 lanes from two pairs, each rounded once. */
// @ts-ignore: decorator
@inline
export function narrow(lower: v128, upper: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(lower), f32x4.demote_f64x2_zero(upper), 0, 2);
}

/** ln x for a normal x > 0: x = 2^e·m with m in [sqrt(1/2), sqrt(2)), and ln m = 2·artanh((m - 1)/(m + 1)). */
// @ts-ignore: decorator
@inline
export function logPair(x: v128): v128 {
  const root = constantPair(LOG_PAIR_REDUCE, 0);
  const u = i64x2.sub(x, root);
  // The exponent is in the upper half of each lane.
  const e = f64x2.convert_low_i32x4_s(i32x4.shr_s(v128.shuffle<i32>(u, u, 1, 3, 1, 3), 20));
  const m = i64x2.add(v128.and(u, constantPair(LOG_PAIR_REDUCE, 1)), root);
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  const artanh = f64x2.add(s, f64x2.mul(f64x2.mul(s, z), polynomialPair(LOG_PAIR, 8, z)));
  const tail = f64x2.add(f64x2.add(artanh, artanh), f64x2.mul(e, constantPair(EXP_PAIR_REDUCE, 2)));
  return f64x2.add(f64x2.mul(e, constantPair(EXP_PAIR_REDUCE, 1)), tail);
}

/**
 * e^x for |x| <= 700. The relative error is 2^-40 (`exact`) or 2^-32, by the Taylor series on |r| <= ln2/2 up to r^11
 * or r^8.
 */
// @ts-ignore: decorator
@inline
export function expPair(x: v128, exact: bool): v128 {
  const n = f64x2.nearest(f64x2.mul(x, constantPair(EXP_PAIR_REDUCE, 0)));
  let r = f64x2.sub(x, f64x2.mul(n, constantPair(EXP_PAIR_REDUCE, 1)));
  r = f64x2.sub(r, f64x2.mul(n, constantPair(EXP_PAIR_REDUCE, 2)));
  const power = i64x2.shl(f64x2.add(n, constantPair(EXP_PAIR_REDUCE, 3)), 52);
  return f64x2.mul(exact ? polynomialPair(EXP_PAIR, 12, r) : evenOddPair(EXP_PAIR + 24, 9, r), power);
}
