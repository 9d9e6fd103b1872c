/**
 * Activation functions of four float32 lanes, and their codes in the GEMM's epilogue.
 *
 * Accuracy, checked by test/kernels.test.ts: sigmoid at most 2.5 ulp, tanh 1.5, SiLU 4.25, softplus 2, leaky ReLU 0.5,
 * and ReLU is exact. (The largest errors of sigmoid, tanh and SiLU over all |x| >= 1/8 are 2.49, 1.34 and 4.05.)
 * For x below -88.7228, e^-x overflows, and sigmoid and SiLU are 0. Their exact values there are under 2^-128 and
 * 2^-121. NaN always gives NaN (in ReLU too: a NaN must not be hidden).
 */
import { constant, LOG1P, ONE, polynomial, TANH as TANH_TABLE } from '../constants';
import { exp4 } from './exp';

/** Codes of the GEMM's epilogue. 0 means no activation. */
export const RELU: i32 = 1;
export const SIGMOID: i32 = 2;
export const TANH: i32 = 3;
export const SILU: i32 = 4;

/** max(x, 0). pmax returns its first operand unless the second is greater, so NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function relu4(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0));
}

/** 1/(1 + e^-x). If x < -88.7, then e^-x overflows to inf, and 1/inf = 0 is the correct limit. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = constant(ONE, 0);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** tanh x: an odd polynomial below 0.625, and 1 - 2/(e^2x + 1) above. Below 0.625 the second form would cancel. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const a = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  const p = polynomial(TANH_TABLE, 5, z);
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const one = constant(ONE, 0);
  const e = exp4(f32x4.add(a, a));
  const large = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(e, one)));
  const y = v128.bitselect(small, large, f32x4.lt(a, constant(TANH_TABLE, 5)));
  // The result has the sign of x everywhere, also at -0, where the polynomial gives 0.
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

/** x·sigmoid(x). At -inf the product would be -inf·0 = NaN; the limit is -0. */
// @ts-ignore: decorator
@inline
export function silu4(x: v128): v128 {
  return f32x4.mul(f32x4.pmax(x, f32x4.splat(-1e30)), sigmoid4(x));
}

/**
 * ln(1 + e^x) = max(x, 0) + ln(1 + u) with u = e^-|x|, and ln(1 + u) = 2·artanh(u/(2 + u)), computed as u minus a
 * remainder.
 */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  const u = exp4(f32x4.neg(f32x4.abs(x)));
  const two = f32x4.splat(2);
  const s = f32x4.div(u, f32x4.add(u, two));
  const z = f32x4.mul(s, s);
  const p = f32x4.mul(polynomial(LOG1P, 4, z), z);
  // 2s = u - s·u
  const log1p = f32x4.sub(u, f32x4.mul(s, f32x4.sub(u, f32x4.mul(two, p))));
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log1p);
}

/** x where x > 0, else slope·x. */
// @ts-ignore: decorator
@inline
export function leakyRelu4(x: v128, slope: v128): v128 {
  return v128.bitselect(x, f32x4.mul(x, slope), f32x4.gt(x, f32x4.splat(0)));
}

/** The activation with that code. */
export function activation4(code: i32, x: v128): v128 {
  if (code == RELU) return relu4(x);
  if (code == SIGMOID) return sigmoid4(x);
  if (code == TANH) return tanh4(x);
  if (code == SILU) return silu4(x);
  return x;
}
