/**
 * Elementwise functions of two arrays, their derivatives, and the choice between two arrays, four float32 lanes at a
 * time over [rows, cols]:
 *
 *     y = [y +] f(a, b)                     `mul`, ...
 *     da = [da +] df/da(dy, a, b)           `mulBackwardA`, ...; for `add` and `sub` it is dy or -dy, a copy
 *     db = [db +] df/db(dy, a, b, y)        `mulBackwardB`, ...
 *     y = [y +] (condition ≠ 0 ? a : b)     `where`
 *
 * An operand is read with strides, and its column stride is 0 or 1. So one form covers equal shapes, and broadcasting
 * over rows, columns and scalars. src/backend/formulas.ts has the same functions in plain TypeScript.
 *
 * The items of the work are rows. If there is only one row, they are its columns.
 *
 * Arithmetic and comparisons are exactly rounded. A NaN in the input gives NaN, also in `maximum` and `minimum`. A
 * comparison gives 1 or 0. pow.ts states the accuracy of `pow`.
 */
import { log4 } from './exp';
import { pow4 } from './pow';
import { load4, put1, put4 } from './put';
import { BinaryBackwardRecord, BinaryRecord, WhereRecord } from '../records';

// The functions, as constants. They are folded away when an export below is compiled.
const ADD: i32 = 0,
  SUB: i32 = 1,
  MUL: i32 = 2,
  DIV: i32 = 3,
  MAXIMUM: i32 = 4,
  MINIMUM: i32 = 5,
  POW: i32 = 6;
const EQ: i32 = 7,
  NE: i32 = 8,
  GT: i32 = 9,
  GE: i32 = 10;

/** 1 where the mask is set, else 0. */
// @ts-ignore: decorator
@inline
function truth(mask: v128): v128 {
  return v128.and(mask, f32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function f(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return f32x4.add(a, b);
  if (op == SUB) return f32x4.sub(a, b);
  if (op == MUL) return f32x4.mul(a, b);
  if (op == DIV) return f32x4.div(a, b);
  if (op == MAXIMUM) return f32x4.max(a, b);
  if (op == MINIMUM) return f32x4.min(a, b);
  if (op == POW) return pow4(a, b);
  if (op == EQ) return truth(f32x4.eq(a, b));
  if (op == NE) return truth(f32x4.ne(a, b));
  if (op == GT) return truth(f32x4.gt(a, b));
  return truth(f32x4.ge(a, b));
}

/** dy if a > b, half of it if they are equal, else 0. */
// @ts-ignore: decorator
@inline
function ofGreater(dy: v128, a: v128, b: v128): v128 {
  const half = f32x4.splat(0.5);
  return f32x4.mul(dy, f32x4.add(v128.and(half, f32x4.gt(a, b)), v128.and(half, f32x4.ge(a, b))));
}

// @ts-ignore: decorator
@inline
function da(op: i32, dy: v128, a: v128, b: v128): v128 {
  if (op == MUL) return f32x4.mul(dy, b);
  if (op == DIV) return f32x4.div(dy, b);
  if (op == MAXIMUM) return ofGreater(dy, a, b);
  if (op == MINIMUM) return ofGreater(dy, b, a);
  // pow: dy·(b·a^(b-1)). In this order no product overflows too early. It is 0 if b = 0, also at a = 0.
  const slope = f32x4.mul(dy, f32x4.mul(b, pow4(a, f32x4.sub(b, f32x4.splat(1)))));
  return v128.andnot(slope, f32x4.eq(b, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
function db(op: i32, dy: v128, a: v128, b: v128, y: v128): v128 {
  if (op == MUL) return f32x4.mul(dy, a);
  if (op == DIV) return f32x4.neg(f32x4.mul(f32x4.div(dy, b), y));
  if (op == MAXIMUM) return ofGreater(dy, b, a);
  if (op == MINIMUM) return ofGreater(dy, a, b);
  // pow: dy·y·ln a, and 0 if a = 0 and b >= 0
  const slope = f32x4.mul(f32x4.mul(dy, y), log4(a));
  const zero = f32x4.splat(0);
  return v128.andnot(slope, v128.and(f32x4.eq(a, zero), f32x4.ge(b, zero)));
}

/** One row of `cols` elements. Steps are the bytes from one column to the next. */
// @ts-ignore: decorator
@inline
function row(op: i32, cols: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize, accumulate: bool): void {
  const whole = y + ((cols & ~3) << 2);
  const end = y + (cols << 2);
  if (aStep & bStep) {
    for (; y < whole; y += 16, a += 16, b += 16) put4(y, f(op, v128.load(a), v128.load(b)), accumulate);
  } else if (aStep) {
    const constant = v128.load32_splat(b);
    for (; y < whole; y += 16, a += 16) put4(y, f(op, v128.load(a), constant), accumulate);
  } else {
    const constant = v128.load32_splat(a);
    for (; y < whole; y += 16, b += bStep << 2) put4(y, f(op, constant, load4(b, bStep)), accumulate);
  }
  for (; y < end; y += 4, a += aStep, b += bStep) {
    put1(y, f(op, v128.load32_splat(a), v128.load32_splat(b)), accumulate);
  }
}

// @ts-ignore: decorator
@inline
function forward(op: i32, from: i32, to: i32, r: BinaryRecord): void {
  const aStep = (<usize>r.aCol) << 2;
  const bStep = (<usize>r.bCol) << 2;
  const accumulate = r.accumulate != 0;
  if (r.rows == 1) {
    return row(op, to - from, r.a + from * aStep, aStep, r.b + from * bStep, bStep, r.out + (from << 2), accumulate);
  }
  const cols = r.cols;
  let a = r.a + ((from * r.aRow) << 2);
  let b = r.b + ((from * r.bRow) << 2);
  let y = r.out + ((from * cols) << 2);
  for (let i = from; i < to; ++i) {
    row(op, cols, a, aStep, b, bStep, y, accumulate);
    a += r.aRow << 2;
    b += r.bRow << 2;
    y += cols << 2;
  }
}

/** The derivative to b if `ofB`, else to a. */
// @ts-ignore: decorator
@inline
function df(op: i32, ofB: bool, dy: v128, a: v128, b: v128, y: v128): v128 {
  return ofB ? db(op, dy, a, b, y) : da(op, dy, a, b);
}

// @ts-ignore: decorator
@inline
function backward(op: i32, ofB: bool, from: i32, to: i32, r: BinaryBackwardRecord): void {
  const aStep = (<usize>r.aCol) << 2;
  const bStep = (<usize>r.bCol) << 2;
  const accumulate = r.accumulate != 0;
  const along = r.rows == 1;
  const rows = along ? 1 : to - from;
  const cols = along ? to - from : r.cols;
  for (let i = 0; i < rows; ++i) {
    const at = along ? 0 : from + i;
    const first = along ? from : 0;
    const offset = (at * r.cols + first) << 2;
    let dy = r.dy + offset;
    let y = r.y + offset;
    let dx = r.out + offset;
    let a = r.a + ((at * r.aRow) << 2) + first * aStep;
    let b = r.b + ((at * r.bRow) << 2) + first * bStep;
    const whole = dx + ((cols & ~3) << 2);
    const end = dx + (cols << 2);
    for (; dx < whole; dx += 16, dy += 16, y += 16, a += aStep << 2, b += bStep << 2) {
      put4(dx, df(op, ofB, v128.load(dy), load4(a, aStep), load4(b, bStep), v128.load(y)), accumulate);
    }
    for (; dx < end; dx += 4, dy += 4, y += 4, a += aStep, b += bStep) {
      const v = df(op, ofB, v128.load32_splat(dy), v128.load32_splat(a), v128.load32_splat(b), v128.load32_splat(y));
      put1(dx, v, accumulate);
    }
  }
}

/** Selects a if the condition is not 0 (NaN is not 0), else b. A NaN of the other operand has no effect. */
export function where(from: i32, to: i32, r: WhereRecord): void {
  const cStep = (<usize>r.conditionCol) << 2;
  const aStep = (<usize>r.aCol) << 2;
  const bStep = (<usize>r.bCol) << 2;
  const along = r.rows == 1;
  const rows = along ? 1 : to - from;
  const cols = along ? to - from : r.cols;
  const accumulate = r.accumulate != 0;
  const zero = f32x4.splat(0);
  for (let i = 0; i < rows; ++i) {
    const at = along ? 0 : from + i;
    const first = along ? from : 0;
    let y = r.out + ((at * r.cols + first) << 2);
    let c = r.condition + ((at * r.conditionRow) << 2) + first * cStep;
    let a = r.a + ((at * r.aRow) << 2) + first * aStep;
    let b = r.b + ((at * r.bRow) << 2) + first * bStep;
    const whole = y + ((cols & ~3) << 2);
    const end = y + (cols << 2);
    for (; y < whole; y += 16, c += cStep << 2, a += aStep << 2, b += bStep << 2) {
      put4(y, v128.bitselect(load4(a, aStep), load4(b, bStep), f32x4.ne(load4(c, cStep), zero)), accumulate);
    }
    for (; y < end; y += 4, c += cStep, a += aStep, b += bStep) {
      const chosen = f32.load(c) != 0 ? v128.load32_splat(a) : v128.load32_splat(b);
      put1(y, chosen, accumulate);
    }
  }
}

export function add(from: i32, to: i32, r: BinaryRecord): void {
  forward(ADD, from, to, r);
}
export function sub(from: i32, to: i32, r: BinaryRecord): void {
  forward(SUB, from, to, r);
}
export function mul(from: i32, to: i32, r: BinaryRecord): void {
  forward(MUL, from, to, r);
}
export function div(from: i32, to: i32, r: BinaryRecord): void {
  forward(DIV, from, to, r);
}
export function maximum(from: i32, to: i32, r: BinaryRecord): void {
  forward(MAXIMUM, from, to, r);
}
export function minimum(from: i32, to: i32, r: BinaryRecord): void {
  forward(MINIMUM, from, to, r);
}
export function pow(from: i32, to: i32, r: BinaryRecord): void {
  forward(POW, from, to, r);
}
export function eq(from: i32, to: i32, r: BinaryRecord): void {
  forward(EQ, from, to, r);
}
export function ne(from: i32, to: i32, r: BinaryRecord): void {
  forward(NE, from, to, r);
}
export function gt(from: i32, to: i32, r: BinaryRecord): void {
  forward(GT, from, to, r);
}
export function ge(from: i32, to: i32, r: BinaryRecord): void {
  forward(GE, from, to, r);
}

export function mulBackwardA(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(MUL, false, from, to, r);
}
export function mulBackwardB(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(MUL, true, from, to, r);
}
export function divBackwardA(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(DIV, false, from, to, r);
}
export function divBackwardB(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(DIV, true, from, to, r);
}
export function maximumBackwardA(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(MAXIMUM, false, from, to, r);
}
export function maximumBackwardB(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(MAXIMUM, true, from, to, r);
}
export function minimumBackwardA(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(MINIMUM, false, from, to, r);
}
export function minimumBackwardB(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(MINIMUM, true, from, to, r);
}
export function powBackwardA(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(POW, false, from, to, r);
}
export function powBackwardB(from: i32, to: i32, r: BinaryBackwardRecord): void {
  backward(POW, true, from, to, r);
}
