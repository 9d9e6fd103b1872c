/**
 * Products over the middle axis of x[outer, n, inner], and their gradient. Products are computed in float64 and rounded
 * once. So float32 elements do not overflow in between if the result does not. The order depends only on the shape.
 *
 * The derivative to x_j is the product of all other elements. Unlike y/x_j, it is correct for elements of 0:
 *
 *   prefix_j = x_0 ··· x_(j-1),   suffix_j = dy·x_(n-1) ··· x_(j+1),   dx_j = prefix_j·suffix_j
 */
import { ProdBackwardRecord } from '../records';
import { promoteHigh, store, storeTotals } from './store';

// @ts-ignore: decorator
@inline
function both(v: v128): f64 {
  return f64x2.extract_lane(v, 0) * f64x2.extract_lane(v, 1);
}

/** The product of n consecutive elements. */
export function prodRow(n: i32, x: usize): f64 {
  let p0 = f64x2.splat(1);
  let p1 = p0;
  let p2 = p0;
  let p3 = p0;
  const whole = x + ((n & ~7) << 2);
  const end = x + (n << 2);
  for (; x < whole; x += 32) {
    const a = v128.load(x);
    const b = v128.load(x, 16);
    p0 = f64x2.mul(p0, f64x2.promote_low_f32x4(a));
    p1 = f64x2.mul(p1, promoteHigh(a));
    p2 = f64x2.mul(p2, f64x2.promote_low_f32x4(b));
    p3 = f64x2.mul(p3, promoteHigh(b));
  }
  let total = both(f64x2.mul(f64x2.mul(p0, p1), f64x2.mul(p2, p3)));
  for (; x < end; x += 4) total *= <f64>f32.load(x);
  return total;
}

/** Four neighbouring columns of x[n, inner], n rows `step` bytes apart, into y. */
export function prodColumns(n: i32, x: usize, step: usize, y: usize, alpha: f32, accumulate: bool): void {
  let low = f64x2.splat(1);
  let high = low;
  for (; n > 0; --n, x += step) {
    const v = v128.load(x);
    low = f64x2.mul(low, f64x2.promote_low_f32x4(v));
    high = f64x2.mul(high, promoteHigh(v));
  }
  storeTotals(y, low, high, alpha, accumulate);
}

/** The product of one column. */
export function prodColumn(n: i32, x: usize, step: usize): f64 {
  let total: f64 = 1;
  for (; n > 0; --n, x += step) total *= <f64>f32.load(x);
  return total;
}

/** The gradient of four neighbouring columns, from the four dy of their products. */
function columnsBackward(n: i32, x: usize, step: usize, dy: v128, prefix: usize, dx: usize, accumulate: bool): void {
  let low = f64x2.splat(1);
  let high = low;
  const end = prefix + (n << 5);
  for (; prefix < end; prefix += 32, x += step, dx += step) {
    v128.store(prefix, low);
    v128.store(prefix, high, 16);
    const v = v128.load(x);
    low = f64x2.mul(low, f64x2.promote_low_f32x4(v));
    high = f64x2.mul(high, promoteHigh(v));
  }
  low = f64x2.promote_low_f32x4(dy);
  high = promoteHigh(dy);
  for (; n > 0; --n) {
    prefix -= 32;
    x -= step;
    dx -= step;
    storeTotals(dx, f64x2.mul(low, v128.load(prefix)), f64x2.mul(high, v128.load(prefix, 16)), 1, accumulate);
    const v = v128.load(x);
    low = f64x2.mul(low, f64x2.promote_low_f32x4(v));
    high = f64x2.mul(high, promoteHigh(v));
  }
}

/** The gradient of one column. */
function columnBackward(n: i32, x: usize, step: usize, dy: f32, prefix: usize, dx: usize, accumulate: bool): void {
  let product: f64 = 1;
  const end = prefix + (n << 3);
  for (; prefix < end; prefix += 8, x += step, dx += step) {
    f64.store(prefix, product);
    product *= <f64>f32.load(x);
  }
  product = <f64>dy;
  for (; n > 0; --n) {
    prefix -= 8;
    x -= step;
    dx -= step;
    store(dx, product * f64.load(prefix), 1, accumulate);
    product *= <f64>f32.load(x);
  }
}

/** The rows [from, to) of `outer`. The prefixes of a strip of columns are contiguous. */
export function prodBackward(from: i32, to: i32, r: ProdBackwardRecord): void {
  const n = r.n;
  const inner = r.inner;
  const accumulate = r.accumulate != 0;
  const step = (<usize>inner) << 2;
  let prefix = r.prefix + <usize>from * n * (step << 1);
  let dy = r.dy + from * step;
  for (let o = from; o < to; ++o) {
    const end = dy + step;
    let x = r.x + <usize>o * n * step;
    let dx = r.out + <usize>o * n * step;
    for (; dy + 16 <= end; dy += 16, x += 16, dx += 16, prefix += n << 5) {
      columnsBackward(n, x, step, v128.load(dy), prefix, dx, accumulate);
    }
    for (; dy < end; dy += 4, x += 4, dx += 4, prefix += n << 3) {
      columnBackward(n, x, step, f32.load(dy), prefix, dx, accumulate);
    }
  }
}
