/**
 * Elementwise functions of one array and their derivatives, four float32 lanes at a time:
 *
 *     y = [y +] f(x)                    `exp`, ...
 *     dx = [dx +] df(dy, kept)          `expBackward`, ..., with the x or the y that the forward pass kept
 *
 * src/backend/formulas.ts has the same functions in plain TypeScript. There you also find which array each function
 * keeps.
 *
 * Each function is a separate export. The compiler would otherwise fold them into one loop that selects the function
 * again at every element.
 *
 * Accuracy: see activation.ts, erf.ts, exp.ts and trigonometric.ts. In all other functions each operation is exactly
 * rounded. NaN gives NaN.
 */
import { leakyRelu4, relu4, sigmoid4, silu4, softplus4, tanh4 } from './activation';
import { erf4, erfDerivative4, gelu4, geluDerivative4 } from './erf';
import { exp4, log4 } from './exp';
import { put1, put4 } from './put';
import { cos4, sin4 } from './trigonometric';
import { UnaryBackwardRecord, UnaryRecord } from '../records';

// The functions, as constants. They are folded away when an export below is compiled.
const NEG: i32 = 0,
  ABS: i32 = 1,
  EXP: i32 = 2,
  LOG: i32 = 3,
  SQRT: i32 = 4;
const RELU: i32 = 5,
  SIGMOID: i32 = 6,
  TANH: i32 = 7,
  SILU: i32 = 8,
  CLAMP: i32 = 9;
const SIN: i32 = 10,
  COS: i32 = 11,
  ERF: i32 = 12,
  GELU: i32 = 13,
  SOFTPLUS: i32 = 14;
const LEAKY_RELU: i32 = 15;

// @ts-ignore: decorator
@inline
function f(op: i32, x: v128, lo: v128, hi: v128, slope: v128): v128 {
  if (op == NEG) return f32x4.neg(x);
  if (op == ABS) return f32x4.abs(x);
  if (op == EXP) return exp4(x);
  if (op == LOG) return log4(x);
  if (op == SQRT) return f32x4.sqrt(x);
  if (op == RELU) return relu4(x);
  if (op == SIGMOID) return sigmoid4(x);
  if (op == TANH) return tanh4(x);
  if (op == SILU) return silu4(x);
  if (op == SIN) return sin4(x);
  if (op == COS) return cos4(x);
  if (op == ERF) return erf4(x);
  if (op == GELU) return gelu4(x);
  if (op == SOFTPLUS) return softplus4(x);
  if (op == LEAKY_RELU) return leakyRelu4(x, slope);
  return f32x4.min(f32x4.max(x, lo), hi);
}

/** `kept` is y for exp, sqrt, relu, sigmoid and tanh, and x for the others. */
// @ts-ignore: decorator
@inline
function df(op: i32, dy: v128, kept: v128, lo: v128, hi: v128, slope: v128): v128 {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  if (op == NEG) return f32x4.neg(dy);
  if (op == ABS) {
    // sign(x)·dy, and 0 at 0 and at NaN
    const negated = v128.xor(dy, v128.and(kept, i32x4.splat(0x80000000)));
    return v128.and(negated, f32x4.gt(f32x4.abs(kept), zero));
  }
  if (op == EXP) return f32x4.mul(dy, kept);
  if (op == LOG) return f32x4.div(dy, kept);
  if (op == SQRT) return f32x4.div(dy, f32x4.add(kept, kept));
  if (op == RELU) return v128.and(dy, f32x4.gt(kept, zero));
  if (op == SIGMOID) return f32x4.mul(dy, f32x4.mul(kept, f32x4.sub(one, kept)));
  if (op == TANH) return f32x4.mul(dy, f32x4.sub(one, f32x4.mul(kept, kept)));
  if (op == SILU) {
    const s = sigmoid4(kept);
    return f32x4.mul(dy, f32x4.mul(s, f32x4.add(one, f32x4.mul(kept, f32x4.sub(one, s)))));
  }
  if (op == SIN) return f32x4.mul(dy, cos4(kept));
  if (op == COS) return f32x4.neg(f32x4.mul(dy, sin4(kept)));
  if (op == ERF) return f32x4.mul(dy, erfDerivative4(kept));
  if (op == GELU) return f32x4.mul(dy, geluDerivative4(kept));
  if (op == SOFTPLUS) return f32x4.mul(dy, sigmoid4(kept));
  if (op == LEAKY_RELU) return v128.bitselect(dy, f32x4.mul(dy, slope), f32x4.gt(kept, zero));
  return v128.and(dy, v128.and(f32x4.ge(kept, lo), f32x4.le(kept, hi)));
}

// @ts-ignore: decorator
@inline
function forward(op: i32, from: i32, to: i32, r: UnaryRecord): void {
  const lo = f32x4.splat(r.lo);
  const hi = f32x4.splat(r.hi);
  const slope = f32x4.splat(r.slope);
  const accumulate = r.accumulate != 0;
  let x = r.x + (from << 2);
  let y = r.out + (from << 2);
  const end = r.x + (to << 2);
  const whole = x + (((to - from) & ~3) << 2);
  for (; x < whole; x += 16, y += 16) put4(y, f(op, v128.load(x), lo, hi, slope), accumulate);
  for (; x < end; x += 4, y += 4) put1(y, f(op, v128.load32_splat(x), lo, hi, slope), accumulate);
}

// @ts-ignore: decorator
@inline
function backward(op: i32, from: i32, to: i32, r: UnaryBackwardRecord): void {
  const lo = f32x4.splat(r.lo);
  const hi = f32x4.splat(r.hi);
  const slope = f32x4.splat(r.slope);
  const accumulate = r.accumulate != 0;
  let dy = r.dy + (from << 2);
  let kept = r.kept + (from << 2);
  let dx = r.out + (from << 2);
  const end = r.dy + (to << 2);
  const whole = dy + (((to - from) & ~3) << 2);
  for (; dy < whole; dy += 16, kept += 16, dx += 16) {
    put4(dx, df(op, v128.load(dy), v128.load(kept), lo, hi, slope), accumulate);
  }
  for (; dy < end; dy += 4, kept += 4, dx += 4) {
    put1(dx, df(op, v128.load32_splat(dy), v128.load32_splat(kept), lo, hi, slope), accumulate);
  }
}

export function neg(from: i32, to: i32, r: UnaryRecord): void {
  forward(NEG, from, to, r);
}
export function abs(from: i32, to: i32, r: UnaryRecord): void {
  forward(ABS, from, to, r);
}
export function exp(from: i32, to: i32, r: UnaryRecord): void {
  forward(EXP, from, to, r);
}
export function log(from: i32, to: i32, r: UnaryRecord): void {
  forward(LOG, from, to, r);
}
export function sqrt(from: i32, to: i32, r: UnaryRecord): void {
  forward(SQRT, from, to, r);
}
export function relu(from: i32, to: i32, r: UnaryRecord): void {
  forward(RELU, from, to, r);
}
export function sigmoid(from: i32, to: i32, r: UnaryRecord): void {
  forward(SIGMOID, from, to, r);
}
export function tanh(from: i32, to: i32, r: UnaryRecord): void {
  forward(TANH, from, to, r);
}
export function silu(from: i32, to: i32, r: UnaryRecord): void {
  forward(SILU, from, to, r);
}
export function clamp(from: i32, to: i32, r: UnaryRecord): void {
  forward(CLAMP, from, to, r);
}
export function sin(from: i32, to: i32, r: UnaryRecord): void {
  forward(SIN, from, to, r);
}
export function cos(from: i32, to: i32, r: UnaryRecord): void {
  forward(COS, from, to, r);
}
export function erf(from: i32, to: i32, r: UnaryRecord): void {
  forward(ERF, from, to, r);
}
export function gelu(from: i32, to: i32, r: UnaryRecord): void {
  forward(GELU, from, to, r);
}
export function softplus(from: i32, to: i32, r: UnaryRecord): void {
  forward(SOFTPLUS, from, to, r);
}
export function leakyRelu(from: i32, to: i32, r: UnaryRecord): void {
  forward(LEAKY_RELU, from, to, r);
}

export function negBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(NEG, from, to, r);
}
export function absBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(ABS, from, to, r);
}
export function expBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(EXP, from, to, r);
}
export function logBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(LOG, from, to, r);
}
export function sqrtBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(SQRT, from, to, r);
}
export function reluBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(RELU, from, to, r);
}
export function sigmoidBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(SIGMOID, from, to, r);
}
export function tanhBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(TANH, from, to, r);
}
export function siluBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(SILU, from, to, r);
}
export function clampBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(CLAMP, from, to, r);
}
export function sinBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(SIN, from, to, r);
}
export function cosBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(COS, from, to, r);
}
export function erfBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(ERF, from, to, r);
}
export function geluBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(GELU, from, to, r);
}
export function softplusBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(SOFTPLUS, from, to, r);
}
export function leakyReluBackward(from: i32, to: i32, r: UnaryBackwardRecord): void {
  backward(LEAKY_RELU, from, to, r);
}
