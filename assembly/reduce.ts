/**
 * Reductions over the middle axis of x[outer, n, inner]: sum, sum of squares, maximum; and the mean squared
 * error with its gradient.
 *
 * Order of summation: blocks of BLOCK elements along n are summed in float32 (four by four where inner is 1),
 * and the blocks' sums in float64, in ascending order. It depends on the shape alone. Accuracy: relative to
 * Σ|x|, at most (BLOCK/16 + 5)·2^-24 where inner is 1, BLOCK'·2^-24 down columns.
 * The maximum is NaN where any element is.
 */
import {
  MseBackwardRecord,
  MseRecord,
  ReduceRecord,
  SquaredErrorBlocksRecord,
  SumBlocksRecord,
  TotalRecord,
} from './records';

/** Elements that are summed in float32 before float64 takes over: along a row, and down a column. */
const BLOCK: i32 = 4096;
const COLUMN_BLOCK: i32 = 64;

// Folded away where a function below is compiled, as in elementwise/.
export const SUM: i32 = 0;
const SUM_SQUARES: i32 = 1;
export const MAX: i32 = 2;

// @ts-ignore: decorator
@inline
function term(op: i32, x: v128): v128 {
  return op == SUM_SQUARES ? f32x4.mul(x, x) : x;
}

// @ts-ignore: decorator
@inline
function join(op: i32, a: v128, b: v128): v128 {
  return op == MAX ? f32x4.max(a, b) : f32x4.add(a, term(op, b));
}

// @ts-ignore: decorator
@inline
function lanes(op: i32, v: v128): f64 {
  const a = f32x4.extract_lane(v, 0);
  const b = f32x4.extract_lane(v, 1);
  const c = f32x4.extract_lane(v, 2);
  const d = f32x4.extract_lane(v, 3);
  return op == MAX ? <f64>max(max(a, b), max(c, d)) : <f64>a + <f64>b + (<f64>c + <f64>d);
}

// @ts-ignore: decorator
@inline
function neutral(op: i32): f32 {
  return op == MAX ? -Infinity : 0;
}

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
  const both =
    op == MAX ? f32x4.max(f32x4.max(s0, s1), f32x4.max(s2, s3)) : f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  let total = lanes(op, both);
  for (; x < end; x += 4) {
    const v = f32.load(x);
    total = op == MAX ? <f64>max(<f32>total, v) : total + <f64>(op == SUM_SQUARES ? v * v : v);
  }
  return total;
}

/** A row of n consecutive elements. */
// @ts-ignore: decorator
@inline
export function reduceRow(op: i32, n: i32, x: usize): f64 {
  let total = <f64>neutral(op);
  for (let i = 0; i < n; i += BLOCK) {
    const part = block(op, min(BLOCK, n - i), x + (i << 2));
    total = op == MAX ? <f64>max(<f32>total, <f32>part) : total + part;
  }
  return total;
}

/** Four neighbouring columns of x[n, inner], n rows `step` bytes apart, into y. */
// @ts-ignore: decorator
@inline
function reduceColumns(op: i32, n: i32, x: usize, step: usize, y: usize, alpha: f32, accumulate: bool): void {
  if (op == MAX) {
    let m = v128.load(x);
    for (let i = 1; i < n; ++i) m = f32x4.max(m, v128.load((x += step)));
    put(y, m, alpha, accumulate);
    return;
  }
  let low = f64x2.splat(0);
  let high = low;
  for (let i = 0; i < n; i += COLUMN_BLOCK) {
    let s = f32x4.splat(0);
    for (let left = min(COLUMN_BLOCK, n - i); left > 0; --left, x += step) s = join(op, s, v128.load(x));
    low = f64x2.add(low, f64x2.promote_low_f32x4(s));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(s, s, 1, 1)));
  }
  const a = f64x2.splat(alpha);
  low = f64x2.mul(low, a);
  high = f64x2.mul(high, a);
  put(y, v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2), 1, accumulate);
}

// @ts-ignore: decorator
@inline
function put(y: usize, v: v128, alpha: f32, accumulate: bool): void {
  const scaled = f32x4.mul(v, f32x4.splat(alpha));
  v128.store(y, accumulate ? f32x4.add(v128.load(y), scaled) : scaled);
}

/** One column, for the last one to three. */
// @ts-ignore: decorator
@inline
function reduceColumn(op: i32, n: i32, x: usize, step: usize): f64 {
  let total = <f64>neutral(op);
  for (let i = 0; i < n; i += COLUMN_BLOCK) {
    let s = neutral(op);
    for (let left = min(COLUMN_BLOCK, n - i); left > 0; --left, x += step) {
      const v = f32.load(x);
      s = op == MAX ? max(s, v) : s + (op == SUM_SQUARES ? v * v : v);
    }
    total = op == MAX ? <f64>max(<f32>total, s) : total + <f64>s;
  }
  return total;
}

// @ts-ignore: decorator
@inline
function store(y: usize, total: f64, alpha: f32, accumulate: bool): void {
  const v = <f32>(<f64>alpha * total);
  f32.store(y, accumulate ? f32.load(y) + v : v);
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

/** The sum of (a - b)² over at most BLOCK elements. */
function squaredErrorBlock(n: i32, a: usize, b: usize): f64 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  const whole = a + ((n & ~7) << 2);
  const end = a + (n << 2);
  for (; a < whole; a += 32, b += 32) {
    const d0 = f32x4.sub(v128.load(a), v128.load(b));
    const d1 = f32x4.sub(v128.load(a, 16), v128.load(b, 16));
    s0 = f32x4.add(s0, f32x4.mul(d0, d0));
    s1 = f32x4.add(s1, f32x4.mul(d1, d1));
  }
  let total = lanes(SUM, f32x4.add(s0, s1));
  for (; a < end; a += 4, b += 4) {
    const d = f32.load(a) - f32.load(b);
    total += <f64>(d * d);
  }
  return total;
}

/** The squared errors' blocks, as `sumBlocks`. */
export function squaredErrorBlocks(from: i32, to: i32, r: SquaredErrorBlocksRecord): void {
  for (let i = from; i < to; ++i) {
    const at = (i * BLOCK) << 2;
    f64.store(r.partials + (i << 3), squaredErrorBlock(min(BLOCK, r.n - i * BLOCK), r.a + at, r.b + at));
  }
}

/** out[0] = mean of (a - b)² over n elements; NaN for n = 0, as 0/0. One thread does it all. */
export function mse(from: i32, to: i32, r: MseRecord): void {
  let total: f64 = 0;
  for (let i = 0; i < r.n; i += BLOCK) {
    total += squaredErrorBlock(min(BLOCK, r.n - i), r.a + (i << 2), r.b + (i << 2));
  }
  f32.store(r.out, <f32>(total / <f64>r.n));
}

/** dx[i] = [dx[i] +] scale·dy[0]·(a[i] - b[i]): with scale 2/n the gradient for a, with -2/n that for b. */
export function mseBackward(from: i32, to: i32, r: MseBackwardRecord): void {
  const at = (<usize>from) << 2;
  const accumulate = r.accumulate != 0;
  let a = r.a + at;
  let b = r.b + at;
  let dx = r.out + at;
  const factor = r.scale * f32.load(r.dy);
  const f = f32x4.splat(factor);
  const whole = a + (((to - from) & ~3) << 2);
  const end = r.a + (to << 2);
  for (; a < whole; a += 16, b += 16, dx += 16) {
    const v = f32x4.mul(f, f32x4.sub(v128.load(a), v128.load(b)));
    v128.store(dx, accumulate ? f32x4.add(v128.load(dx), v) : v);
  }
  for (; a < end; a += 4, b += 4, dx += 4) {
    const v = factor * (f32.load(a) - f32.load(b));
    f32.store(dx, accumulate ? f32.load(dx) + v : v);
  }
}
