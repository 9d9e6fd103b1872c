/**
 * Elementwise functions of one and of two arrays, four float32 lanes at a time, and the general strided copy.
 *
 * Every function here writes `y = f(...)` or, with `accumulate`, `y += f(...)`: a gradient is summed where it
 * is made. The second argument of the binary functions whose names end in `Backward` is dy; the first is what
 * the forward pass kept, its y or its x. Their formulas stand in src/ops, beside the forward ones.
 *
 * Arithmetic and comparisons are exactly rounded; NaN in gives NaN out, `maximum` and `minimum` included.
 */
import { relu4, sigmoid4, silu4, tanh4 } from './activation';
import { exp4, log4 } from './exp';
import { pow as pow1 } from './pow';

// Which function: constants that are folded away where a function below is compiled. One function an op, and
// no switch over them: the optimiser would fold its branches into one loop that asks for every element.
const NEG: i32 = 0, ABS: i32 = 1, EXP: i32 = 2, LOG: i32 = 3, SQRT: i32 = 4;
const RELU: i32 = 5, SIGMOID: i32 = 6, TANH: i32 = 7, SILU: i32 = 8, CLAMP: i32 = 9;

const ADD: i32 = 0, SUB: i32 = 1, MUL: i32 = 2, DIV: i32 = 3, MAXIMUM: i32 = 4, MINIMUM: i32 = 5, POW: i32 = 6;
const ABS_BACKWARD: i32 = 7, SQRT_BACKWARD: i32 = 8, RELU_BACKWARD: i32 = 9, SIGMOID_BACKWARD: i32 = 10;
const TANH_BACKWARD: i32 = 11, SILU_BACKWARD: i32 = 12, CLAMP_BACKWARD: i32 = 13, GREATER_SHARE: i32 = 14;

// @ts-ignore: decorator
@inline
function apply1(op: i32, x: v128, lo: v128, hi: v128): v128 {
  if (op == NEG) return f32x4.neg(x);
  if (op == ABS) return f32x4.abs(x);
  if (op == EXP) return exp4(x);
  if (op == LOG) return log4(x);
  if (op == SQRT) return f32x4.sqrt(x);
  if (op == RELU) return relu4(x);
  if (op == SIGMOID) return sigmoid4(x);
  if (op == TANH) return tanh4(x);
  if (op == SILU) return silu4(x);
  return f32x4.min(f32x4.max(x, lo), hi);
}

// @ts-ignore: decorator
@inline
function apply2(op: i32, a: v128, b: v128, lo: v128, hi: v128): v128 {
  const one = f32x4.splat(1);
  if (op == ADD) return f32x4.add(a, b);
  if (op == SUB) return f32x4.sub(a, b);
  if (op == MUL) return f32x4.mul(a, b);
  if (op == DIV) return f32x4.div(a, b);
  if (op == MAXIMUM) return f32x4.max(a, b);
  if (op == MINIMUM) return f32x4.min(a, b);
  if (op == POW) return pow4(a, b);
  if (op == ABS_BACKWARD) {
    // sign(x)·dy, and 0 at 0 and at NaN
    const negated = v128.xor(b, v128.and(a, i32x4.splat(0x80000000)));
    return v128.and(negated, f32x4.gt(f32x4.abs(a), f32x4.splat(0)));
  }
  if (op == SQRT_BACKWARD) return f32x4.div(b, f32x4.add(a, a));
  if (op == RELU_BACKWARD) return v128.and(b, f32x4.gt(a, f32x4.splat(0)));
  if (op == SIGMOID_BACKWARD) return f32x4.mul(b, f32x4.mul(a, f32x4.sub(one, a)));
  if (op == TANH_BACKWARD) return f32x4.mul(b, f32x4.sub(one, f32x4.mul(a, a)));
  if (op == SILU_BACKWARD) {
    const s = sigmoid4(a);
    return f32x4.mul(b, f32x4.mul(s, f32x4.add(one, f32x4.mul(a, f32x4.sub(one, s)))));
  }
  if (op == CLAMP_BACKWARD) return v128.and(b, v128.and(f32x4.ge(a, lo), f32x4.le(a, hi)));
  // GREATER_SHARE: a's share in the gradient of maximum(a, b): 1, a half at a tie, or 0
  const half = f32x4.splat(0.5);
  return f32x4.add(v128.and(half, f32x4.gt(a, b)), v128.and(half, f32x4.ge(a, b)));
}

/** There is no fast path for x^y: it runs in float64, lane by lane. */
function pow4(a: v128, b: v128): v128 {
  let y = f32x4.splat(pow1(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)));
  y = f32x4.replace_lane(y, 1, pow1(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)));
  y = f32x4.replace_lane(y, 2, pow1(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)));
  return f32x4.replace_lane(y, 3, pow1(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)));
}

// @ts-ignore: decorator
@inline
function put4(y: usize, value: v128, accumulate: bool): void {
  v128.store(y, accumulate ? f32x4.add(v128.load(y), value) : value);
}

// @ts-ignore: decorator
@inline
function put1(y: usize, value: v128, accumulate: bool): void {
  const v = f32x4.extract_lane(value, 0);
  f32.store(y, accumulate ? f32.load(y) + v : v);
}

// @ts-ignore: decorator
@inline
function loop1(op: i32, n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  const lo = f32x4.splat(p), hi = f32x4.splat(q);
  const whole = x + ((n & ~3) << 2), end = x + (n << 2);
  for (; x < whole; x += 16, y += 16) put4(y, apply1(op, v128.load(x), lo, hi), accumulate);
  for (; x < end; x += 4, y += 4) put1(y, apply1(op, v128.load32_splat(x), lo, hi), accumulate);
}

// y[i] = [y[i] +] f(x[i]) for n elements; `p` and `q` are the bounds of clamp.

export function neg(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(NEG, n, x, y, accumulate, p, q);
}

export function abs(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(ABS, n, x, y, accumulate, p, q);
}

export function exp(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(EXP, n, x, y, accumulate, p, q);
}

export function log(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(LOG, n, x, y, accumulate, p, q);
}

export function sqrt(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(SQRT, n, x, y, accumulate, p, q);
}

export function relu(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(RELU, n, x, y, accumulate, p, q);
}

export function sigmoid(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(SIGMOID, n, x, y, accumulate, p, q);
}

export function tanh(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(TANH, n, x, y, accumulate, p, q);
}

export function silu(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(SILU, n, x, y, accumulate, p, q);
}

export function clamp(n: i32, x: usize, y: usize, accumulate: bool, p: f32, q: f32): void {
  loop1(CLAMP, n, x, y, accumulate, p, q);
}

// @ts-ignore: decorator
@inline
function row2(op: i32, cols: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize, accumulate: bool, lo: v128, hi: v128): void {
  const whole = y + ((cols & ~3) << 2), end = y + (cols << 2);
  if (aStep & bStep) {
    for (; y < whole; y += 16, a += 16, b += 16) put4(y, apply2(op, v128.load(a), v128.load(b), lo, hi), accumulate);
  } else if (aStep) {
    const constant = v128.load32_splat(b);
    for (; y < whole; y += 16, a += 16) put4(y, apply2(op, v128.load(a), constant, lo, hi), accumulate);
  } else {
    const constant = v128.load32_splat(a);
    for (; y < whole; y += 16, b += bStep << 2) {
      put4(y, apply2(op, constant, bStep ? v128.load(b) : v128.load32_splat(b), lo, hi), accumulate);
    }
  }
  for (; y < end; y += 4, a += aStep, b += bStep) {
    put1(y, apply2(op, v128.load32_splat(a), v128.load32_splat(b), lo, hi), accumulate);
  }
}

// @ts-ignore: decorator
@inline
function loop2(
  op: i32, rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  const lo = f32x4.splat(p), hi = f32x4.splat(q);
  for (let i = 0; i < rows; ++i) {
    row2(op, cols, a, <usize>aCol << 2, b, <usize>bCol << 2, y, accumulate, lo, hi);
    a += aRow << 2;
    b += bRow << 2;
    y += cols << 2;
  }
}

// y[i,j] = [y[i,j] +] f(a[i·aRow + j·aCol], b[i·bRow + j·bCol]) for y dense [rows, cols]. Strides are in
// elements; a column stride is 0 or 1. So one form covers equal shapes, and broadcasting over rows, columns and
// scalars.

export function add(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(ADD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function sub(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(SUB, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function mul(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(MUL, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function div(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(DIV, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function maximum(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(MAXIMUM, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function minimum(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(MINIMUM, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function pow(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(POW, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function absBackward(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(ABS_BACKWARD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function sqrtBackward(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(SQRT_BACKWARD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function reluBackward(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(RELU_BACKWARD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function sigmoidBackward(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(SIGMOID_BACKWARD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function tanhBackward(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(TANH_BACKWARD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function siluBackward(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(SILU_BACKWARD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function clampBackward(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(CLAMP_BACKWARD, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}

export function greaterShare(
  rows: i32, cols: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32, y: usize,
  accumulate: bool, p: f32, q: f32,
): void {
  loop2(GREATER_SHARE, rows, cols, a, aRow, aCol, b, bRow, bCol, y, accumulate, p, q);
}
