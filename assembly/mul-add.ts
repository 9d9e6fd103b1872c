/** The multiply-add of both builds. It is the only operation in which strict and relaxed numerics differ. */

/** a·b + c. It is rounded once in the relaxed build if the engine fuses, else twice. */
// @ts-ignore: decorator
@inline
export function mulAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}
