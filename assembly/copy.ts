/**
 * Copies of two-dimensional views: the whole of reshaping, transposing, slicing, concatenating and
 * broadcasting, forwards and (with `accumulate`) backwards. Exact when alpha is 1; else one rounding.
 *
 * The items of the work are rows; where there is one row, its columns.
 */
import { CopyRecord, FillRecord } from './records';

/** out[i] = value for the items [from, to). */
export function fill(from: i32, to: i32, r: FillRecord): void {
  const v = f32x4.splat(r.value);
  let y = r.out + (from << 2);
  const whole = y + (((to - from) & ~3) << 2);
  const end = r.out + (to << 2);
  for (; y < whole; y += 16) v128.store(y, v);
  for (; y < end; y += 4) f32.store(y, r.value);
}

/** y[i·yRow + j·yCol] = [itself +] alpha·x[i·xRow + j·xCol] over [rows, cols]; strides in elements, any sign. */
export function copy(from: i32, to: i32, r: CopyRecord): void {
  const along = r.rows == 1;
  const accumulate = r.accumulate != 0;
  const alpha = r.alpha;
  const rows = along ? 1 : to - from;
  const cols = along ? to - from : r.cols;
  const xRow = r.xRow;
  const xCol = r.xCol;
  const yRow = r.yRow;
  const yCol = r.yCol;
  const x = r.x + ((from * (along ? xCol : xRow)) << 2);
  const y = r.y + ((from * (along ? yCol : yRow)) << 2);
  if (yCol == 1 && xCol == 1) {
    for (let i = 0; i < rows; ++i) copyRow(cols, alpha, x + ((i * xRow) << 2), y + ((i * yRow) << 2), accumulate);
    return;
  }
  // A transpose walks in blocks, so that the cache lines of both sides are used whole.
  for (let i0 = 0; i0 < rows; i0 += 16) {
    const i1 = min(i0 + 16, rows);
    for (let j0 = 0; j0 < cols; j0 += 16) {
      const j1 = min(j0 + 16, cols);
      for (let i = i0; i < i1; ++i) {
        let source = x + ((i * xRow + j0 * xCol) << 2);
        let target = y + ((i * yRow + j0 * yCol) << 2);
        for (let j = j0; j < j1; ++j) {
          const v = alpha * f32.load(source);
          f32.store(target, accumulate ? f32.load(target) + v : v);
          source += xCol << 2;
          target += yCol << 2;
        }
      }
    }
  }
}

function copyRow(n: i32, alpha: f32, x: usize, y: usize, accumulate: bool): void {
  if (alpha == 1 && !accumulate) {
    memory.copy(y, x, (<usize>n) << 2);
    return;
  }
  const factor = f32x4.splat(alpha);
  const whole = x + ((n & ~3) << 2);
  const end = x + (n << 2);
  for (; x < whole; x += 16, y += 16) {
    const v = f32x4.mul(factor, v128.load(x));
    v128.store(y, accumulate ? f32x4.add(v128.load(y), v) : v);
  }
  for (; x < end; x += 4, y += 4) {
    const v = alpha * f32.load(x);
    f32.store(y, accumulate ? f32.load(y) + v : v);
  }
}
