/**
 * Cumulative sums along the middle axis of x[outer, n, inner]:
 *
 *     y[o,j,i] = [y +] Σ x[o,p,i] over p <= j, or, `reverse`, over p >= j
 *
 * The gradient of one direction is the other direction. Sums are float64, in the order of the axis, and each is rounded
 * once to float32. The items of the work are `outer`.
 */
import { CumsumRecord } from './records';

export function cumsum(from: i32, to: i32, r: CumsumRecord): void {
  const n = r.n;
  const inner = r.inner;
  const accumulate = r.accumulate != 0;
  const row = inner << 2;
  const size = <usize>n * row;
  const step = r.reverse ? -row : row;
  const first = r.reverse ? <usize>(n - 1) * row : 0;
  for (let o = from; o < to; ++o) {
    let x = r.x + <usize>o * size + first;
    let y = r.out + <usize>o * size + first;
    let left = inner;
    for (; left >= 4; left -= 4, x += 16, y += 16) fourColumns(n, x, y, step, accumulate);
    for (; left > 0; --left, x += 4, y += 4) column(n, x, y, step, accumulate);
  }
}

/** Four neighbouring columns, whose rows are `step` bytes apart. */
function fourColumns(n: i32, x: usize, y: usize, step: i32, accumulate: bool): void {
  let low = f64x2.splat(0);
  let high = low;
  for (let i = 0; i < n; ++i, x += step, y += step) {
    const v = v128.load(x);
    low = f64x2.add(low, f64x2.promote_low_f32x4(v));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1)));
    const sum = v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
    v128.store(y, accumulate ? f32x4.add(v128.load(y), sum) : sum);
  }
}

function column(n: i32, x: usize, y: usize, step: i32, accumulate: bool): void {
  let total: f64 = 0;
  for (let i = 0; i < n; ++i, x += step, y += step) {
    total += <f64>f32.load(x);
    f32.store(y, accumulate ? f32.load(y) + <f32>total : <f32>total);
  }
}
