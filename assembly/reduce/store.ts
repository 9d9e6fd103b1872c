/** Stores the result of a reduction: it is scaled, and added to the old value if the target accumulates. */

/** y[0] = [y[0] +] alpha·total */
// @ts-ignore: decorator
@inline
export function store(y: usize, total: f64, alpha: f32, accumulate: bool): void {
  const v = <f32>(<f64>alpha * total);
  f32.store(y, accumulate ? f32.load(y) + v : v);
}

/** y[0..3] = [y +] alpha·v */
// @ts-ignore: decorator
@inline
export function store4(y: usize, v: v128, alpha: f32, accumulate: bool): void {
  const scaled = f32x4.mul(v, f32x4.splat(alpha));
  v128.store(y, accumulate ? f32x4.add(v128.load(y), scaled) : scaled);
}

/** y[0..3] = [y +] alpha·total, with totals 0 and 1 in `low`, and 2 and 3 in `high`. */
// @ts-ignore: decorator
@inline
export function storeTotals(y: usize, low: v128, high: v128, alpha: f32, accumulate: bool): void {
  const a = f64x2.splat(alpha);
  low = f32x4.demote_f64x2_zero(f64x2.mul(low, a));
  high = f32x4.demote_f64x2_zero(f64x2.mul(high, a));
  store4(y, v128.shuffle<i64>(low, high, 0, 2), 1, accumulate);
}

/** The upper two of four float32 as float64. f64x2.promote_low_f32x4 converts the lower two. */
// @ts-ignore: decorator
@inline
export function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}
