/** Stores of elementwise kernels: y = value, or y += value with `accumulate`. */

/** Four elements. */
// @ts-ignore: decorator
@inline
export function put4(y: usize, value: v128, accumulate: bool): void {
  v128.store(y, accumulate ? f32x4.add(v128.load(y), value) : value);
}

/** The first of four lanes. */
// @ts-ignore: decorator
@inline
export function put1(y: usize, value: v128, accumulate: bool): void {
  const v = f32x4.extract_lane(value, 0);
  f32.store(y, accumulate ? f32.load(y) + v : v);
}

/** Four elements of an operand: from p on, or where its column stride is 0 four times the one at p. */
// @ts-ignore: decorator
@inline
export function load4(p: usize, step: usize): v128 {
  return step ? v128.load(p) : v128.load32_splat(p);
}
