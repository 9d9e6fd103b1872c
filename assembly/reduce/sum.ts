/**
 * Sums and sums of squares over the middle axis of x[outer, n, inner].
 *
 * Order of summation: blocks along n are summed in float32, and the sums of blocks in float64, in ascending order. If
 * inner is 1, a block has BLOCK elements, and sixteen sums run side by side. Otherwise a block has COLUMN_BLOCK
 * elements of one column. The order depends only on the shape. Accuracy: relative to Σ|x|, at most (BLOCK/16 + 5)·2^-24
 * if inner is 1, and COLUMN_BLOCK·2^-24 otherwise.
 */
import { SumBlocksRecord } from '../records';
import { SUM, SUM_SQUARES } from './codes';
import { promoteHigh, storeTotals } from './store';

/** The number of elements that are summed in float32 before float64 is used: along a row, and down a column. */
export const BLOCK: i32 = 4096;
const COLUMN_BLOCK: i32 = 64;

// @ts-ignore: decorator
@inline
function join(op: i32, sum: v128, x: v128): v128 {
  return f32x4.add(sum, op == SUM_SQUARES ? f32x4.mul(x, x) : x);
}

/** The term that one element adds. */
// @ts-ignore: decorator
@inline
function term(op: i32, x: f32): f32 {
  return op == SUM_SQUARES ? x * x : x;
}

/** The sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function lanes(v: v128): f64 {
  const a = <f64>f32x4.extract_lane(v, 0) + <f64>f32x4.extract_lane(v, 1);
  return a + (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3));
}

/** One block of at most BLOCK consecutive elements. */
// @ts-ignore: decorator
@inline
function block(op: i32, n: i32, x: usize): f64 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  const whole = x + ((n & ~15) << 2);
  const end = x + (n << 2);
  for (; x < whole; x += 64) {
    s0 = join(op, s0, v128.load(x));
    s1 = join(op, s1, v128.load(x, 16));
    s2 = join(op, s2, v128.load(x, 32));
    s3 = join(op, s3, v128.load(x, 48));
  }
  let total = lanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; x < end; x += 4) total += <f64>term(op, f32.load(x));
  return total;
}

/** The sum of n consecutive elements. */
// @ts-ignore: decorator
@inline
export function sumRow(op: i32, n: i32, x: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i += BLOCK) total += block(op, min(BLOCK, n - i), x + (i << 2));
  return total;
}

/** Four neighbouring columns of x[n, inner], n rows `step` bytes apart, into y. */
// @ts-ignore: decorator
@inline
export function sumColumns(op: i32, n: i32, x: usize, step: usize, y: usize, alpha: f32, accumulate: bool): void {
  let low = f64x2.splat(0);
  let high = low;
  for (let i = 0; i < n; i += COLUMN_BLOCK) {
    let s = f32x4.splat(0);
    for (let left = min(COLUMN_BLOCK, n - i); left > 0; --left, x += step) s = join(op, s, v128.load(x));
    low = f64x2.add(low, f64x2.promote_low_f32x4(s));
    high = f64x2.add(high, promoteHigh(s));
  }
  storeTotals(y, low, high, alpha, accumulate);
}

/**
 * Sixteen columns, as `sumColumns`: a cache line of each row. There are four chains of additions, which do not wait for
 * each other.
 */
// @ts-ignore: decorator
@inline
export function sumStrip(op: i32, n: i32, x: usize, step: usize, y: usize, alpha: f32, accumulate: bool): void {
  let low0 = f64x2.splat(0);
  let high0 = low0;
  let low1 = low0;
  let high1 = low0;
  let low2 = low0;
  let high2 = low0;
  let low3 = low0;
  let high3 = low0;
  for (let i = 0; i < n; i += COLUMN_BLOCK) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let left = min(COLUMN_BLOCK, n - i); left > 0; --left, x += step) {
      s0 = join(op, s0, v128.load(x));
      s1 = join(op, s1, v128.load(x, 16));
      s2 = join(op, s2, v128.load(x, 32));
      s3 = join(op, s3, v128.load(x, 48));
    }
    low0 = f64x2.add(low0, f64x2.promote_low_f32x4(s0));
    high0 = f64x2.add(high0, promoteHigh(s0));
    low1 = f64x2.add(low1, f64x2.promote_low_f32x4(s1));
    high1 = f64x2.add(high1, promoteHigh(s1));
    low2 = f64x2.add(low2, f64x2.promote_low_f32x4(s2));
    high2 = f64x2.add(high2, promoteHigh(s2));
    low3 = f64x2.add(low3, f64x2.promote_low_f32x4(s3));
    high3 = f64x2.add(high3, promoteHigh(s3));
  }
  storeTotals(y, low0, high0, alpha, accumulate);
  storeTotals(y + 16, low1, high1, alpha, accumulate);
  storeTotals(y + 32, low2, high2, alpha, accumulate);
  storeTotals(y + 48, low3, high3, alpha, accumulate);
}

/** The sum of one column. */
// @ts-ignore: decorator
@inline
export function sumColumn(op: i32, n: i32, x: usize, step: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i += COLUMN_BLOCK) {
    let s: f32 = 0;
    for (let left = min(COLUMN_BLOCK, n - i); left > 0; --left, x += step) s += term(op, f32.load(x));
    total += <f64>s;
  }
  return total;
}

// Threads divide a long row into blocks. For from <= i < to, partials[i] is the sum of block i. The caller adds the
// partial sums in ascending order, which gives the same bits as `sumRow`.

export function sumBlocks(from: i32, to: i32, r: SumBlocksRecord): void {
  blocks(SUM, from, to, r);
}
export function sumSquaresBlocks(from: i32, to: i32, r: SumBlocksRecord): void {
  blocks(SUM_SQUARES, from, to, r);
}

// @ts-ignore: decorator
@inline
function blocks(op: i32, from: i32, to: i32, r: SumBlocksRecord): void {
  for (let i = from; i < to; ++i) {
    f64.store(r.partials + (i << 3), block(op, min(BLOCK, r.n - i * BLOCK), r.x + ((i * BLOCK) << 2)));
  }
}
