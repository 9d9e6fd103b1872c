/**
 * Strips of channels of x[positions, channels]. A strip has sixteen channels, which are one cache line, or four, or
 * one. The width is a constant that is folded away when a function is compiled.
 */
import { put1, put4 } from '../elementwise/put';
import { promoteHigh } from '../reduce/store';

/** The number of channels in a wide strip. */
export const WIDE: i32 = 16;
export const FOUR: i32 = 4;
export const ONE: i32 = 1;

/** Four elements, or in a strip of one channel one element four times. */
// @ts-ignore: decorator
@inline
export function load(width: i32, p: usize): v128 {
  return width == ONE ? v128.load32_splat(p) : v128.load(p);
}

// @ts-ignore: decorator
@inline
export function put(width: i32, p: usize, value: v128, accumulate: bool): void {
  if (width == ONE) put1(p, value, accumulate);
  else put4(p, value, accumulate);
}

/** totals[0..3] += sums. In a strip of one channel only the first is added. */
// @ts-ignore: decorator
@inline
export function addTotals(width: i32, totals: usize, sums: v128): void {
  if (width == ONE) {
    f64.store(totals, f64.load(totals) + <f64>f32x4.extract_lane(sums, 0));
    return;
  }
  v128.store(totals, f64x2.add(v128.load(totals), f64x2.promote_low_f32x4(sums)));
  v128.store(totals, f64x2.add(v128.load(totals, 16), promoteHigh(sums)), 16);
}
