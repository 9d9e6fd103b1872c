/**
 * What the reductions share: their operations as constants, which are folded away where a function is compiled (as in
 * elementwise/), and how a result is stored.
 */

/** Elements that are summed in float32 before float64 takes over: along a row, and down a column. */
export const BLOCK: i32 = 4096;
export const COLUMN_BLOCK: i32 = 64;

export const SUM: i32 = 0;
export const SUM_SQUARES: i32 = 1;
export const MAX: i32 = 2;
export const MIN: i32 = 3;
export const PROD: i32 = 4;

/** Whether the result is one of the elements: a maximum or a minimum. */
// @ts-ignore: decorator
@inline
export function isExtreme(op: i32): bool {
  return op == MAX || op == MIN;
}

/** What an element adds to a sum. */
// @ts-ignore: decorator
@inline
function term(op: i32, x: v128): v128 {
  return op == SUM_SQUARES ? f32x4.mul(x, x) : x;
}

/** As `term`, of one element. */
// @ts-ignore: decorator
@inline
export function term1(op: i32, x: f32): f32 {
  return op == SUM_SQUARES ? x * x : x;
}

/** Joins two partial results. Products have functions of their own: see prod.ts. */
// @ts-ignore: decorator
@inline
export function merge(op: i32, a: v128, b: v128): v128 {
  if (op == MAX) return f32x4.max(a, b);
  return op == MIN ? f32x4.min(a, b) : f32x4.add(a, b);
}

/** As `merge`, of two numbers in float32. */
// @ts-ignore: decorator
@inline
export function merge1(op: i32, a: f32, b: f32): f32 {
  if (op == MAX) return max(a, b);
  return op == MIN ? min(a, b) : a + b;
}

/** As `merge`, of two numbers in float64. */
// @ts-ignore: decorator
@inline
export function mergeTotals(op: i32, a: f64, b: f64): f64 {
  return isExtreme(op) ? <f64>merge1(op, <f32>a, <f32>b) : a + b;
}

/** Joins elements to a partial result. */
// @ts-ignore: decorator
@inline
export function join(op: i32, a: v128, x: v128): v128 {
  return merge(op, a, term(op, x));
}

/** The four lanes joined. */
// @ts-ignore: decorator
@inline
export function lanes(op: i32, v: v128): f64 {
  const a = f32x4.extract_lane(v, 0);
  const b = f32x4.extract_lane(v, 1);
  const c = f32x4.extract_lane(v, 2);
  const d = f32x4.extract_lane(v, 3);
  if (isExtreme(op)) return <f64>merge1(op, merge1(op, a, b), merge1(op, c, d));
  return <f64>a + <f64>b + (<f64>c + <f64>d);
}

/** The result over no elements. */
// @ts-ignore: decorator
@inline
export function neutral(op: i32): f32 {
  if (op == MAX) return -Infinity;
  if (op == MIN) return Infinity;
  return op == PROD ? 1 : 0;
}

/** y[0..3] = [itself +] alpha·v */
// @ts-ignore: decorator
@inline
export function put(y: usize, v: v128, alpha: f32, accumulate: bool): void {
  const scaled = f32x4.mul(v, f32x4.splat(alpha));
  v128.store(y, accumulate ? f32x4.add(v128.load(y), scaled) : scaled);
}

/** y[0..3] = [itself +] alpha·total, where totals 0 and 1 are in `low`, 2 and 3 in `high`. */
// @ts-ignore: decorator
@inline
export function putTotals(y: usize, low: v128, high: v128, alpha: f32, accumulate: bool): void {
  const a = f64x2.splat(alpha);
  low = f32x4.demote_f64x2_zero(f64x2.mul(low, a));
  high = f32x4.demote_f64x2_zero(f64x2.mul(high, a));
  put(y, v128.shuffle<i64>(low, high, 0, 2), 1, accumulate);
}

/** The upper two of four float32 as float64. */
// @ts-ignore: decorator
@inline
export function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

/** y[0] = [itself +] alpha·total */
// @ts-ignore: decorator
@inline
export function store(y: usize, total: f64, alpha: f32, accumulate: bool): void {
  const v = <f32>(<f64>alpha * total);
  f32.store(y, accumulate ? f32.load(y) + v : v);
}
