/**
 * The error function and GELU of four float32 lanes, with their derivatives. GELU is x·Φ(x), where Φ is the normal
 * distribution function (Hendrycks and Gimpel 2016).
 *
 * erf is computed in float32: x + x·p(x²) below 0.875, and 1 - e^q(x) above. GELU and the derivatives are computed in
 * float64. With t = |x|
 *
 *     Φ(-t) = e^(-t²/2)·g(t),  g a polynomial in 3/(3 + t);   x·Φ(x) = max(x, 0) - t·Φ(-t)
 *
 * So nothing cancels for x < 0, and the result is accurate down to the smallest subnormal.
 *
 * Accuracy, checked by test/kernels.test.ts: erf at most 1.5 ulp, GELU and the derivative of erf 0.55. The derivative
 * of GELU is 0 near -0.75. Its error is at most 0.51 ulp plus 2^-30.
 *
 * Source of the coefficients (constants.ts): our own minimax fits to values of mpmath (40 digits). A fit is a weighted
 * least-squares solution on 1200 Chebyshev nodes. We raise the weights where the relative error is largest (Lawson
 * 1961). For float32 the coefficients are rounded one by one, starting with the lowest power. After each rounding the
 * others are fitted again.
 */
import { constant, constantPair, ERF, LOG_ERFC, NORMAL, NORMAL_TAIL, ONE, polynomial, evenOddPair } from '../constants';
import { exp4 } from './exp';
import { expPair, high, low, narrow } from './pair';

/** erf x */
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const a = f32x4.abs(x);
  const small = f32x4.add(f32x4.mul(polynomial(ERF, 7, f32x4.mul(x, x)), x), x);
  const q = polynomial(LOG_ERFC, 8, f32x4.pmin(a, constant(LOG_ERFC, 8)));
  const large = f32x4.sub(constant(ONE, 0), exp4(q));
  const y = v128.bitselect(small, large, f32x4.lt(a, constant(ERF, 7)));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

/** 2/√π·e^(-x²) */
export function erfDerivative4(x: v128): v128 {
  return narrow(erfDerivative(low(x)), erfDerivative(high(x)));
}

// @ts-ignore: decorator
@inline
function erfDerivative(x: v128): v128 {
  const a = f64x2.pmin(f64x2.abs(x), constantPair(NORMAL, 3));
  return f64x2.mul(expPair(f64x2.neg(f64x2.mul(a, a)), false), constantPair(NORMAL, 2));
}

/** |x| in float64, limited to the t at which Φ(-t) is 0 in float32. NaN stays NaN. */
// @ts-ignore: decorator
@inline
function magnitude(x: v128): v128 {
  return f64x2.pmin(f64x2.abs(x), constantPair(NORMAL, 0));
}

/** g(t) = e^(t²/2)·Φ(-t) */
// @ts-ignore: decorator
@inline
function scaledTail(t: v128): v128 {
  const three = f64x2.splat(3);
  const s = f64x2.div(three, f64x2.add(three, t));
  return f64x2.mul(evenOddPair(NORMAL_TAIL, 11, s), s);
}

/** e^(-t²/2) */
// @ts-ignore: decorator
@inline
function bell(t: v128): v128 {
  return expPair(f64x2.mul(f64x2.mul(t, t), f64x2.splat(-0.5)), false);
}

/** x·Φ(x). At -inf it is -0, which is the limit. */
export function gelu4(x: v128): v128 {
  const y = narrow(gelu(low(x)), gelu(high(x)));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}

// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  const t = magnitude(x);
  return f64x2.sub(f64x2.pmax(x, f64x2.splat(0)), f64x2.mul(t, f64x2.mul(bell(t), scaledTail(t))));
}

/** Φ(x) + x·Φ'(x). With d = Φ(-t) - t·Φ'(t) it is d for x <= 0, and 1 - d for x > 0. */
export function geluDerivative4(x: v128): v128 {
  return narrow(geluDerivative(low(x)), geluDerivative(high(x)));
}

// @ts-ignore: decorator
@inline
function geluDerivative(x: v128): v128 {
  const t = magnitude(x);
  const inner = f64x2.sub(scaledTail(t), f64x2.mul(t, constantPair(NORMAL, 1)));
  // We need +0, not -0, beyond the end of the tail.
  const d = v128.andnot(f64x2.mul(bell(t), inner), f64x2.eq(t, constantPair(NORMAL, 0)));
  return v128.bitselect(f64x2.sub(f64x2.splat(1), d), d, f64x2.gt(x, f64x2.splat(0)));
}
