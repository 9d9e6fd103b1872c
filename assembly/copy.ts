/**
 * Copies of two-dimensional views. They do the work of reshaping, transposing, slicing, concatenating and broadcasting,
 * in the forward pass and (with `accumulate`) in the backward pass. The copy is exact if alpha is 1; else it has one
 * rounding.
 *
 * A transpose works on squares of four rows and columns in registers. The items of the work are rows. If there is only
 * one row, they are its columns.
 */
import { put4, putColumns4 } from './elementwise/put';
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

/**
 * y[i·yRow + j·yCol] = [y +] alpha·x[i·xRow + j·xCol] over [rows, cols]. Strides are in elements and may be negative.
 */
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
  } else if (xCol == 1 && yRow == 1) {
    transpose(rows, cols, alpha, x, xRow << 2, y, yCol << 2, accumulate);
  } else if (xRow == 1 && yCol == 1) {
    transpose(cols, rows, alpha, x, xCol << 2, y, yRow << 2, accumulate);
  } else {
    // We work in blocks, so that whole cache lines are used on both sides.
    for (let i = 0; i < rows; i += 16) {
      for (let j = 0; j < cols; j += 16) {
        const source = x + ((i * xRow + j * xCol) << 2);
        const target = y + ((i * yRow + j * yCol) << 2);
        const m = min(16, rows - i);
        const n = min(16, cols - j);
        copyElements(m, n, alpha, source, xRow << 2, xCol << 2, target, yRow << 2, yCol << 2, accumulate);
      }
    }
  }
}

/** As `copy` with any strides, but in bytes, element by element. The longer axis should be the second. */
function copyElements(
  rows: i32,
  cols: i32,
  alpha: f32,
  x: usize,
  xRow: i32,
  xCol: i32,
  y: usize,
  yRow: i32,
  yCol: i32,
  accumulate: bool,
): void {
  for (let i = 0; i < rows; ++i, x += xRow, y += yRow) {
    let source = x;
    let target = y;
    for (let j = 0; j < cols; ++j, source += xCol, target += yCol) {
      const v = alpha * f32.load(source);
      f32.store(target, accumulate ? f32.load(target) + v : v);
    }
  }
}

/** The number of bytes up to which a loop copies faster than the engine. */
const SHORT: usize = 192;

/** The rows of a strip of a transpose. The data of four of its columns stays in the caches, also if strides are 2^n. */
const STRIP: i32 = 64;

/**
 * y[j,i] = [y +] alpha·x[i,j]. Rows of x are `xStep` bytes apart, and rows of y `yStep`. Both are contiguous along
 * rows.
 */
function transpose(
  rows: i32,
  cols: i32,
  alpha: f32,
  x: usize,
  xStep: i32,
  y: usize,
  yStep: i32,
  accumulate: bool,
): void {
  const wholeRows = rows & ~3;
  const wholeCols = cols & ~3;
  const factor = f32x4.splat(alpha);
  for (let i0 = 0; i0 < wholeRows; i0 += STRIP) {
    const i1 = min(i0 + STRIP, wholeRows);
    for (let j = 0; j < wholeCols; j += 4) {
      let source = x + i0 * xStep + (j << 2);
      let target = y + j * yStep + (i0 << 2);
      for (let i = i0; i < i1; i += 4, source += xStep << 2, target += 16) {
        transpose4(factor, source, xStep, target, yStep, accumulate);
      }
    }
  }
  // The last rows, and the last columns.
  const below = wholeRows << 2;
  copyElements(rows - wholeRows, wholeCols, alpha, x + wholeRows * xStep, xStep, 4, y + below, 4, yStep, accumulate);
  const right = wholeCols << 2;
  copyElements(cols - wholeCols, rows, alpha, x + right, 4, xStep, y + wholeCols * yStep, yStep, 4, accumulate);
}

/** Four rows and columns. */
// @ts-ignore: decorator
@inline
function transpose4(factor: v128, x: usize, xStep: i32, y: usize, yStep: i32, accumulate: bool): void {
  const a = f32x4.mul(factor, v128.load(x));
  const b = f32x4.mul(factor, v128.load(x + xStep));
  const c = f32x4.mul(factor, v128.load(x + 2 * xStep));
  const d = f32x4.mul(factor, v128.load(x + 3 * xStep));
  putColumns4(a, b, c, d, y, y + yStep, y + 2 * yStep, y + 3 * yStep, accumulate);
}

function copyRow(n: i32, alpha: f32, x: usize, y: usize, accumulate: bool): void {
  if (alpha == 1 && !accumulate) {
    copyBytes(y, x, (<usize>n) << 2);
    return;
  }
  const factor = f32x4.splat(alpha);
  const whole = x + ((n & ~3) << 2);
  const end = x + (n << 2);
  for (; x < whole; x += 16, y += 16) {
    const v = f32x4.mul(factor, v128.load(x));
    put4(y, v, accumulate);
  }
  for (; x < end; x += 4, y += 4) {
    const v = alpha * f32.load(x);
    f32.store(y, accumulate ? f32.load(y) + v : v);
  }
}

/** Copies whole words. memory.copy is a call into the engine, which costs as much as a loop over some hundred bytes. */
// @ts-ignore: decorator
@inline
function copyBytes(y: usize, x: usize, n: usize): void {
  if (n > SHORT) {
    memory.copy(y, x, n);
    return;
  }
  const end = x + n;
  for (; x + 16 <= end; x += 16, y += 16) v128.store(y, v128.load(x));
  for (; x < end; x += 4, y += 4) i32.store(y, i32.load(x));
}
