/** The multiply-add of both builds: the one operation in which strict and relaxed numerics differ. */

/** a·b + c: rounded once where this is the relaxed build and the engine fuses, else twice. */
// @ts-ignore: decorator
@inline
export function mulAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}
