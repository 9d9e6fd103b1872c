/**
 * Reductions over the middle axis of x[outer, n, inner]: sum, sum of squares, maximum, minimum, product. If inner is 1,
 * each row of n elements is reduced. Else columns are reduced, sixteen, four or one at a time. The result is NaN if any
 * element is NaN. The order of operations and the accuracy are stated in sum.ts, extreme.ts and prod.ts.
 */
import { ReduceRecord, TotalRecord } from '../records';
import { MAX, MIN, PROD, SUM, SUM_SQUARES } from './codes';
import { extremeColumn, extremeColumns, extremeRow, extremeStrip } from './extreme';
import { prodColumn, prodColumns, prodRow } from './prod';
import { store } from './store';
import { sumColumn, sumColumns, sumRow, sumStrip } from './sum';

// @ts-ignore: decorator
@inline
function isExtreme(op: i32): bool {
  return op == MAX || op == MIN;
}

/** A row of n consecutive elements. */
// @ts-ignore: decorator
@inline
export function reduceRow(op: i32, n: i32, x: usize): f64 {
  if (op == PROD) return prodRow(n, x);
  return isExtreme(op) ? <f64>extremeRow(op, n, x) : sumRow(op, n, x);
}

/** Reduces the columns of x[n, inner] to y[inner]. The n rows are `step` bytes apart. */
// @ts-ignore: decorator
@inline
function reduceColumns(op: i32, n: i32, inner: i32, x: usize, y: usize, alpha: f32, accumulate: bool): void {
  const step = (<usize>inner) << 2;
  const end = y + step;
  if (op != PROD) {
    for (; y + 64 <= end; x += 64, y += 64) {
      if (isExtreme(op)) extremeStrip(op, n, x, step, y, alpha, accumulate);
      else sumStrip(op, n, x, step, y, alpha, accumulate);
    }
  }
  for (; y + 16 <= end; x += 16, y += 16) {
    if (op == PROD) prodColumns(n, x, step, y, alpha, accumulate);
    else if (isExtreme(op)) extremeColumns(op, n, x, step, y, alpha, accumulate);
    else sumColumns(op, n, x, step, y, alpha, accumulate);
  }
  for (; y < end; x += 4, y += 4) {
    if (op == PROD) store(y, prodColumn(n, x, step), alpha, accumulate);
    else if (isExtreme(op)) store(y, <f64>extremeColumn(op, n, x, step), alpha, accumulate);
    else store(y, sumColumn(op, n, x, step), alpha, accumulate);
  }
}

/** Reduces x[i], of shape [n, inner], for every index i of `outer` in [from, to). */
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
  for (; from < to; ++from, x += n * step, y += step) {
    if (inner == 1) store(y, reduceRow(op, n, x), alpha, accumulate);
    else reduceColumns(op, n, inner, x, y, alpha, accumulate);
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

/**
 * out[0] = [out[0] +] alpha·total, as every reduction stores its result. A long sum calls it after adding its blocks.
 */
export function storeTotal(from: i32, to: i32, r: TotalRecord): void {
  store(r.out, r.total, r.alpha, r.accumulate != 0);
}
