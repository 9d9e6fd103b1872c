/**
 * Maximum and minimum over the middle axis of x[outer, n, inner]. They are exact. The result is NaN if any element is
 * NaN, and +0 is above -0.
 *
 * SSE's instructions for maximum and minimum handle neither NaN nor the sign of zero. So f32x4.max takes about ten
 * instructions that wait for each other, while f32x4.pmax takes one. We use pmax. A second vector records which lanes
 * have had a NaN, and a third records the signs. A maximum of 0 is -0 if all signs are negative, because then no element
 * is +0. A minimum of 0 is -0 if any sign is negative.
 */
import { MAX } from './codes';
import { store4 } from './store';

/** The result over no elements. */
// @ts-ignore: decorator
@inline
function neutral(op: i32): v128 {
  return f32x4.splat(op == MAX ? -Infinity : Infinity);
}

// @ts-ignore: decorator
@inline
function pick(op: i32, m: v128, x: v128): v128 {
  return op == MAX ? f32x4.pmax(m, x) : f32x4.pmin(m, x);
}

/** The recorded signs before any element. */
// @ts-ignore: decorator
@inline
function noSigns(op: i32): v128 {
  return i32x4.splat(op == MAX ? -1 : 0);
}

// @ts-ignore: decorator
@inline
function noteSign(op: i32, signs: v128, x: v128): v128 {
  return op == MAX ? v128.and(signs, x) : v128.or(signs, x);
}

// @ts-ignore: decorator
@inline
function noteNaN(nan: v128, x: v128): v128 {
  return v128.or(nan, f32x4.ne(x, x));
}

/** The result from the value that `pick` found, the NaNs and the signs. */
// @ts-ignore: decorator
@inline
function finish(m: v128, signs: v128, nan: v128): v128 {
  const zero = v128.and(signs, i32x4.splat(0x80000000));
  return v128.bitselect(f32x4.splat(NaN), v128.bitselect(zero, m, f32x4.eq(m, f32x4.splat(0))), nan);
}

/** The extreme of two numbers, or NaN if either is NaN. */
// @ts-ignore: decorator
@inline
function extreme1(op: i32, a: f32, b: f32): f32 {
  return op == MAX ? max(a, b) : min(a, b);
}

/** The extreme of n consecutive elements. */
// @ts-ignore: decorator
@inline
export function extremeRow(op: i32, n: i32, x: usize): f32 {
  let m0 = neutral(op);
  let m1 = m0;
  let signs = noSigns(op);
  let nan = i32x4.splat(0);
  const whole = x + ((n & ~7) << 2);
  const end = x + (n << 2);
  for (; x < whole; x += 32) {
    const a = v128.load(x);
    const b = v128.load(x, 16);
    m0 = pick(op, m0, a);
    m1 = pick(op, m1, b);
    signs = noteSign(op, noteSign(op, signs, a), b);
    nan = noteNaN(noteNaN(nan, a), b);
  }
  const m = finish(pick(op, m0, m1), signs, nan);
  let result = extreme1(
    op,
    extreme1(op, f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)),
    extreme1(op, f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)),
  );
  for (; x < end; x += 4) result = extreme1(op, result, f32.load(x));
  return result;
}

/** Four neighbouring columns of x[n, inner], n rows `step` bytes apart, into y. */
// @ts-ignore: decorator
@inline
export function extremeColumns(op: i32, n: i32, x: usize, step: usize, y: usize, alpha: f32, accumulate: bool): void {
  let m = neutral(op);
  let signs = noSigns(op);
  let nan = i32x4.splat(0);
  for (; n > 0; --n, x += step) {
    const v = v128.load(x);
    m = pick(op, m, v);
    signs = noteSign(op, signs, v);
    nan = noteNaN(nan, v);
  }
  store4(y, finish(m, signs, nan), alpha, accumulate);
}

/** Sixteen columns, as `extremeColumns`: a cache line of each row. */
// @ts-ignore: decorator
@inline
export function extremeStrip(op: i32, n: i32, x: usize, step: usize, y: usize, alpha: f32, accumulate: bool): void {
  let m0 = neutral(op);
  let m1 = m0;
  let m2 = m0;
  let m3 = m0;
  let signs0 = noSigns(op);
  let signs1 = signs0;
  let signs2 = signs0;
  let signs3 = signs0;
  let nan0 = i32x4.splat(0);
  let nan1 = nan0;
  let nan2 = nan0;
  let nan3 = nan0;
  for (; n > 0; --n, x += step) {
    const a = v128.load(x);
    m0 = pick(op, m0, a);
    signs0 = noteSign(op, signs0, a);
    nan0 = noteNaN(nan0, a);
    const b = v128.load(x, 16);
    m1 = pick(op, m1, b);
    signs1 = noteSign(op, signs1, b);
    nan1 = noteNaN(nan1, b);
    const c = v128.load(x, 32);
    m2 = pick(op, m2, c);
    signs2 = noteSign(op, signs2, c);
    nan2 = noteNaN(nan2, c);
    const d = v128.load(x, 48);
    m3 = pick(op, m3, d);
    signs3 = noteSign(op, signs3, d);
    nan3 = noteNaN(nan3, d);
  }
  store4(y, finish(m0, signs0, nan0), alpha, accumulate);
  store4(y + 16, finish(m1, signs1, nan1), alpha, accumulate);
  store4(y + 32, finish(m2, signs2, nan2), alpha, accumulate);
  store4(y + 48, finish(m3, signs3, nan3), alpha, accumulate);
}

/** One column. */
// @ts-ignore: decorator
@inline
export function extremeColumn(op: i32, n: i32, x: usize, step: usize): f32 {
  let result: f32 = op == MAX ? -Infinity : Infinity;
  for (; n > 0; --n, x += step) result = extreme1(op, result, f32.load(x));
  return result;
}
