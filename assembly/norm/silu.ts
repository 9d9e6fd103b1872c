/**
 * SiLU and its derivative, for kernels that compute them in the same pass. The exponential has one factor 2^n. It takes
 * two thirds of the time of elementwise/activation.ts.
 */
import { expBounded4 } from '../elementwise/exp';

/** Beyond this distance from 0, SiLU is computed as at this distance: silu(-87) = -2^-119. */
const FAR: f32 = 87;

/** 1 + e^-z for z >= -87. */
// @ts-ignore: decorator
@inline
function denominator(z: v128): v128 {
  return f32x4.add(f32x4.splat(1), expBounded4(f32x4.neg(f32x4.pmin(z, f32x4.splat(FAR)))));
}

/** z·sigmoid(z) with an error of 4 ulp, and of 2^-119 below -87. */
// @ts-ignore: decorator
@inline
export function silu(z: v128): v128 {
  const bounded = f32x4.pmax(z, f32x4.splat(-FAR));
  return f32x4.div(bounded, denominator(bounded));
}

/** dz = dy·s·(1 + z·(1 - s)) with s = sigmoid(z). */
// @ts-ignore: decorator
@inline
export function siluGradient(dy: v128, z: v128): v128 {
  const one = f32x4.splat(1);
  const bounded = f32x4.pmax(z, f32x4.splat(-FAR));
  const s = f32x4.div(one, denominator(bounded));
  return f32x4.mul(dy, f32x4.mul(s, f32x4.add(one, f32x4.mul(bounded, f32x4.sub(one, s)))));
}
