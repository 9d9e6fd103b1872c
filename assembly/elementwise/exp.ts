/**
 * e^x and the natural logarithm of four float32 lanes, by our own polynomials. We use no tables and no `Mathf`: its
 * bits may change with the compiler, and its tables would become a data section.
 *
 * Accuracy, checked by test/kernels.test.ts: exp and log at most 1 ulp. (The largest errors are 0.991 over all 1/8 <=
 * |x| < 128, and 0.830 over all 1/8 <= x < 16.) Subnormal results: 0.75·2^-149. NaN gives NaN; exp(-inf) = 0, exp(inf)
 * = inf, log(0) = -inf, log(x < 0) = NaN, log(inf) = inf.
 *
 * Source: Cody and Waite's argument reduction. The coefficients (constants.ts) are the single-precision minimax fits of
 * the Cephes library (Moshier 1989).
 */
import { constant, EXP, EXP2, EXP_REDUCE, LN2, LOG, ONE, polynomial } from '../constants';

/** e^x, lane by lane. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // x = n·ln2 + r with |r| <= ln2/2, so e^x = 2^n·e^r. Beyond ±104 the result is 0 or inf, so the clamp changes nothing
  // and keeps n small. pmin and pmax return their first operand if one is NaN, so NaN stays NaN.
  const c = f32x4.pmin(f32x4.pmax(x, constant(EXP_REDUCE, 0)), constant(EXP_REDUCE, 1));
  const n = f32x4.nearest(f32x4.mul(c, constant(EXP_REDUCE, 2)));
  let r = f32x4.sub(c, f32x4.mul(n, constant(EXP_REDUCE, 3)));
  r = f32x4.sub(r, f32x4.mul(n, constant(EXP_REDUCE, 4)));
  const q = polynomial(EXP, 6, r);
  const e = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), q), r), constant(ONE, 0));
  // 2^n in two factors, because n reaches ±150 and one exponent field holds -126..127. n + 1.5·2^23 has n in its low
  // bits, so the conversion to an integer costs only one addition. (NaN gives arbitrary bits here, but e is NaN then.)
  const i = i32x4.sub(f32x4.add(n, f32x4.splat(12582912)), i32x4.splat(0x4b400000));
  const half = i32x4.shr_s(i, 1);
  const one = constant(ONE, 0);
  return f32x4.mul(
    f32x4.mul(e, i32x4.add(i32x4.shl(half, 23), one)),
    i32x4.add(i32x4.shl(i32x4.sub(i, half), 23), one),
  );
}

/**
 * e^x for |x| <= 87, where one factor 2^n is enough. The polynomial is in Estrin's order: its products do not wait for
 * each other. The error is at most 1 ulp, as in exp4, which takes 1.5 times as long. NaN gives NaN.
 */
// @ts-ignore: decorator
@inline
export function expBounded4(x: v128): v128 {
  // We add x·log2(e) to 1.5·2^23. The sum is rounded to a whole number n, which is in its low bits.
  const magic = f32x4.splat(12582912);
  const sum = f32x4.add(f32x4.mul(x, constant(EXP_REDUCE, 2)), magic);
  const n = f32x4.sub(sum, magic);
  let r = f32x4.sub(x, f32x4.mul(n, constant(EXP_REDUCE, 3)));
  r = f32x4.sub(r, f32x4.mul(n, constant(EXP_REDUCE, 4)));
  const r2 = f32x4.mul(r, r);
  const q01 = f32x4.add(f32x4.mul(constant(EXP, 4), r), constant(EXP, 5));
  const q23 = f32x4.add(f32x4.mul(constant(EXP, 2), r), constant(EXP, 3));
  const q45 = f32x4.add(f32x4.mul(constant(EXP, 0), r), constant(EXP, 1));
  const q = f32x4.add(q01, f32x4.mul(r2, f32x4.add(q23, f32x4.mul(r2, q45))));
  const one = constant(ONE, 0);
  const e = f32x4.add(f32x4.add(f32x4.mul(r2, q), r), one);
  return f32x4.mul(e, i32x4.add(i32x4.shl(sum, 23), one));
}

/**
 * Replaces x by 2^((x - m)·f) in four lanes, for n vectors `step` bytes apart, with x <= m and f > 0. Returns their sum
 * in ascending order. It is made for softmax, where the exponent is never positive and powers of 2 are enough. A number
 * minus its whole part is exact.
 *
 * Accuracy: relative error 3.5·2^-24, in addition to the error of its exponent. Below an exponent of -126 it is 0 or
 * 2^-127. NaN gives NaN. The loop keeps the coefficients in registers. A call of exp4 loads them each time, which takes
 * 1.5 times as long.
 */
// @ts-ignore: decorator
@inline
export function exponentials2(n: i32, step: usize, at: usize, m: v128, f: v128): v128 {
  const magic = f32x4.splat(12582912);
  const least = f32x4.splat(-127);
  const one = constant(ONE, 0);
  const c0 = constant(EXP2, 0);
  const c1 = constant(EXP2, 1);
  const c2 = constant(EXP2, 2);
  const c3 = constant(EXP2, 3);
  const c4 = constant(EXP2, 4);
  let total = f32x4.splat(0);
  for (const end = at + <usize>n * step; at < end; at += step) {
    const x = f32x4.pmax(f32x4.mul(f32x4.sub(v128.load(at), m), f), least);
    const sum = f32x4.add(x, magic);
    const r = f32x4.sub(x, f32x4.sub(sum, magic));
    const r2 = f32x4.mul(r, r);
    const q01 = f32x4.add(f32x4.mul(c1, r), c0);
    const q23 = f32x4.add(f32x4.mul(c3, r), c2);
    const q = f32x4.add(f32x4.mul(f32x4.add(q01, f32x4.mul(r2, f32x4.add(q23, f32x4.mul(r2, c4)))), r), one);
    // At -127 the factor is 0, so masked keys contribute nothing.
    const e = f32x4.mul(q, i32x4.add(i32x4.shl(sum, 23), one));
    v128.store(at, e);
    total = f32x4.add(total, e);
  }
  return total;
}

/** ln x, lane by lane. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  // Subnormals are scaled by 2^23 first, so that the exponent field is valid.
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const y = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  const z = logNormal(y, v128.and(tiny, i32x4.splat(23)));
  // inf -> inf, 0 -> -inf, negative or NaN -> NaN
  let w = v128.bitselect(x, z, f32x4.eq(x, f32x4.splat(Infinity)));
  w = v128.bitselect(f32x4.splat(-Infinity), w, f32x4.eq(x, f32x4.splat(0)));
  return v128.bitselect(w, f32x4.splat(NaN), f32x4.ge(x, f32x4.splat(0)));
}

/** ln(y·2^-shift) for y > 0 that is not subnormal or infinite, and integers `shift`. */
// @ts-ignore: decorator
@inline
export function logNormal(y: v128, shift: v128): v128 {
  // y = 2^k·m with m in [sqrt(1/2), sqrt(2)). We first subtract the bits of sqrt(1/2) from those of y. The exponent
  // field of the difference is then k.
  const root = i32x4.splat(0x3f3504f3);
  const u = i32x4.sub(y, root);
  const n = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(u, 23), shift));
  const f = f32x4.sub(i32x4.add(v128.and(u, i32x4.splat(0x007fffff)), root), constant(ONE, 0));
  const f2 = f32x4.mul(f, f);
  let r = f32x4.mul(f32x4.mul(polynomial(LOG, 9, f), f), f2);
  r = f32x4.add(r, f32x4.mul(n, constant(LN2, 0)));
  r = f32x4.sub(r, f32x4.mul(f2, constant(LN2, 2)));
  r = f32x4.add(f, r);
  return f32x4.add(r, f32x4.mul(n, constant(LN2, 1)));
}
