/**
 * Reductions over the middle axis of x[outer, n, inner]: sum, sum of squares, maximum, minimum, product.
 *
 * Order of summation: blocks of BLOCK elements along n are summed in float32 (four by four where inner is 1),
 * and the blocks' sums in float64, in ascending order. It depends on the shape alone. Accuracy: relative to
 * Σ|x|, at most (BLOCK/16 + 5)·2^-24 where inner is 1, COLUMN_BLOCK·2^-24 down columns. For products see prod.ts.
 * The result is NaN where any element is.
 */
import { ReduceRecord, SumBlocksRecord, TotalRecord } from '../records';
import { prodColumn, prodColumns, prodRow } from './prod';
import {
  BLOCK,
  COLUMN_BLOCK,
  isExtreme,
  join,
  lanes,
  MAX,
  MIN,
  merge,
  merge1,
  mergeTotals,
  neutral,
  PROD,
  promoteHigh,
  put,
  putTotals,
  SUM,
  SUM_SQUARES,
  store,
  term1,
} from './terms';

/** One block of at most BLOCK consecutive elements. */
// @ts-ignore: decorator
@inline
function block(op: i32, n: i32, x: usize): f64 {
  let s0 = f32x4.splat(neutral(op));
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
  let total = lanes(op, merge(op, merge(op, s0, s1), merge(op, s2, s3)));
  for (; x < end; x += 4) total = mergeTotals(op, total, <f64>term1(op, f32.load(x)));
  return total;
}

/** A row of n consecutive elements. */
// @ts-ignore: decorator
@inline
export function reduceRow(op: i32, n: i32, x: usize): f64 {
  if (op == PROD) return prodRow(n, x);
  let total = <f64>neutral(op);
  for (let i = 0; i < n; i += BLOCK) total = mergeTotals(op, total, block(op, min(BLOCK, n - i), x + (i << 2)));
  return total;
}

/** Four neighbouring columns of x[n, inner], n rows `step` bytes apart, into y. */
// @ts-ignore: decorator
@inline
function reduceColumns(op: i32, n: i32, x: usize, step: usize, y: usize, alpha: f32, accumulate: bool): void {
  if (op == PROD) {
    prodColumns(n, x, step, y, alpha, accumulate);
    return;
  }
  if (isExtreme(op)) {
    let m = v128.load(x);
    for (let i = 1; i < n; ++i) m = merge(op, m, v128.load((x += step)));
    put(y, m, alpha, accumulate);
    return;
  }
  let low = f64x2.splat(0);
  let high = low;
  for (let i = 0; i < n; i += COLUMN_BLOCK) {
    let s = f32x4.splat(0);
    for (let left = min(COLUMN_BLOCK, n - i); left > 0; --left, x += step) s = join(op, s, v128.load(x));
    low = f64x2.add(low, f64x2.promote_low_f32x4(s));
    high = f64x2.add(high, promoteHigh(s));
  }
  putTotals(y, low, high, alpha, accumulate);
}

/** One column, for the last one to three. */
// @ts-ignore: decorator
@inline
function reduceColumn(op: i32, n: i32, x: usize, step: usize): f64 {
  if (op == PROD) return prodColumn(n, x, step);
  let total = <f64>neutral(op);
  for (let i = 0; i < n; i += COLUMN_BLOCK) {
    let s = neutral(op);
    for (let left = min(COLUMN_BLOCK, n - i); left > 0; --left, x += step) s = merge1(op, s, term1(op, f32.load(x)));
    total = mergeTotals(op, total, <f64>s);
  }
  return total;
}

/** The rows [from, to) of `outer`. */
// @ts-ignore: decorator
@inline
function loop(op: i32, from: i32, to: i32, r: ReduceRecord): void {
  const n = r.n;
  const inner = r.inner;
  const alpha = r.alpha;
  const accumulate = r.accumulate != 0;
  const step = (<usize>inner) << 2;
  let x = r.x + <usize>from * n * step;
  let y = r.out + from * step;
  for (let o = from; o < to; ++o) {
    if (inner == 1) {
      store(y, reduceRow(op, n, x), alpha, accumulate);
      y += 4;
    } else {
      let at = x;
      let left = n > 0 ? inner : 0;
      for (; left >= 4; left -= 4, at += 16, y += 16) reduceColumns(op, n, at, step, y, alpha, accumulate);
      for (left = n > 0 ? left : inner; left > 0; --left, at += 4, y += 4) {
        store(y, reduceColumn(op, n, at, step), alpha, accumulate);
      }
    }
    x += n * step;
  }
}

export function sum(from: i32, to: i32, r: ReduceRecord): void {
  loop(SUM, from, to, r);
}
export function sumSquares(from: i32, to: i32, r: ReduceRecord): void {
  loop(SUM_SQUARES, from, to, r);
}
export function maxOf(from: i32, to: i32, r: ReduceRecord): void {
  loop(MAX, from, to, r);
}
export function minOf(from: i32, to: i32, r: ReduceRecord): void {
  loop(MIN, from, to, r);
}
export function prod(from: i32, to: i32, r: ReduceRecord): void {
  loop(PROD, from, to, r);
}

// Long rows are shared by threads in blocks: partials[i] is the sum of block i, for from <= i < to. Added in
// ascending order they give the bits of the whole reduction.

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

/** out[0] = [out[0] +] alpha·total, as every reduction stores its result. */
export function storeTotal(from: i32, to: i32, r: TotalRecord): void {
  store(r.out, r.total, r.alpha, r.accumulate != 0);
}
