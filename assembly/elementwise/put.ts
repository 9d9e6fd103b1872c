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

/** Four elements of an operand from p on. If its column stride is 0, all four are the element at p. */
// @ts-ignore: decorator
@inline
export function load4(p: usize, step: usize): v128 {
  return step ? v128.load(p) : v128.load32_splat(p);
}

/** Transposes four rows of four. Column i is stored at yi, or added there. */
// @ts-ignore: decorator
@inline
export function putColumns4(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
  accumulate: bool,
): void {
  // a0 b0 a1 b1, a2 b2 a3 b3; c0 d0 c1 d1, c2 d2 c3 d3
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const AB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const CD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  put4(y0, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), accumulate);
  put4(y1, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), accumulate);
  put4(y2, v128.shuffle<f32>(AB, CD, 0, 1, 4, 5), accumulate);
  put4(y3, v128.shuffle<f32>(AB, CD, 2, 3, 6, 7), accumulate);
}
