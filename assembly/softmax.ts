/**
 * Softmax and its logarithm along each row of x[rows, cols], and their gradients:
 *
 *     softmax       y = e / s              dx = y·(dy - Σ dy·y)
 *     logSoftmax    y = (x - m) - ln s     dx = dy - e·(Σ dy / s)
 *
 * with m = max x, e = exp(x - m) and s = Σ e. No exponential overflows, because x - m <= 0. A row with NaN or +inf, or
 * with only -inf, gives NaN, as in PyTorch.
 *
 * Sums are those of reduce.ts, and their order depends only on `cols`. Accuracy: exp and ln have errors of 1 ulp, s has
 * (min(cols, 4096)/16 + 5)·2^-24, and x - m is rounded once. So the relative error of softmax is about 2^-24·(2·|x - m|
 * + cols/16 + 8).
 *
 * The items of the work are rows.
 */
import { exp4, log4 } from './elementwise/exp';
import { put1, put4 } from './elementwise/put';
import { reduceRow } from './reduce/reduce';
import { MAX, SUM } from './reduce/codes';
import { SoftmaxBackwardRecord, SoftmaxRecord } from './records';

/** e[cols] = exp(x - m); returns the sum. */
// @ts-ignore: decorator
@inline
function exponentials(cols: i32, x: usize, m: f32, e: usize): f32 {
  const shift = f32x4.splat(m);
  const whole = x + ((cols & ~3) << 2);
  const end = x + (cols << 2);
  let at = e;
  for (; x < whole; x += 16, at += 16) v128.store(at, exp4(f32x4.sub(v128.load(x), shift)));
  for (; x < end; x += 4, at += 4) put1(at, exp4(f32x4.sub(v128.load32_splat(x), shift)), false);
  return <f32>reduceRow(SUM, cols, e);
}

export function softmax(from: i32, to: i32, r: SoftmaxRecord): void {
  const cols = r.cols;
  for (let i = from; i < to; ++i) {
    const x = r.x + ((<usize>i * cols) << 2);
    const y = r.out + ((<usize>i * cols) << 2);
    const s = exponentials(cols, x, <f32>reduceRow(MAX, cols, x), y);
    const divisor = f32x4.splat(s);
    const whole = y + ((cols & ~3) << 2);
    const end = y + (cols << 2);
    let at = y;
    for (; at < whole; at += 16) v128.store(at, f32x4.div(v128.load(at), divisor));
    for (; at < end; at += 4) f32.store(at, f32.load(at) / s);
  }
}

export function logSoftmax(from: i32, to: i32, r: SoftmaxRecord): void {
  const cols = r.cols;
  for (let i = from; i < to; ++i) {
    let x = r.x + ((<usize>i * cols) << 2);
    let y = r.out + ((<usize>i * cols) << 2);
    const m = <f32>reduceRow(MAX, cols, x);
    const ln = log4(f32x4.splat(exponentials(cols, x, m, y)));
    const shift = f32x4.splat(m);
    const whole = x + ((cols & ~3) << 2);
    const end = x + (cols << 2);
    for (; x < whole; x += 16, y += 16) v128.store(y, f32x4.sub(f32x4.sub(v128.load(x), shift), ln));
    for (; x < end; x += 4, y += 4) put1(y, f32x4.sub(f32x4.sub(v128.load32_splat(x), shift), ln), false);
  }
}

/** `kept` is y. */
export function softmaxBackward(from: i32, to: i32, r: SoftmaxBackwardRecord): void {
  const cols = r.cols;
  const accumulate = r.accumulate != 0;
  for (let i = from; i < to; ++i) {
    const row = (<usize>i * cols) << 2;
    const dy = r.dy + row;
    const y = r.kept + row;
    const products = r.scratch + row;
    const whole = (cols & ~3) << 2;
    const end = cols << 2;
    let at = 0;
    for (; at < whole; at += 16) v128.store(products + at, f32x4.mul(v128.load(dy + at), v128.load(y + at)));
    for (; at < end; at += 4) f32.store(products + at, f32.load(dy + at) * f32.load(y + at));
    const sum = f32x4.splat(<f32>reduceRow(SUM, cols, products));
    const out = r.out + row;
    for (at = 0; at < whole; at += 16) {
      put4(out + at, f32x4.mul(v128.load(y + at), f32x4.sub(v128.load(dy + at), sum)), accumulate);
    }
    for (; at < end; at += 4) {
      const value = f32x4.mul(v128.load32_splat(y + at), f32x4.sub(v128.load32_splat(dy + at), sum));
      put1(out + at, value, accumulate);
    }
  }
}

/** `kept` is x. We compute e again, which is as cheap as exp(y), and nothing cancels. */
export function logSoftmaxBackward(from: i32, to: i32, r: SoftmaxBackwardRecord): void {
  const cols = r.cols;
  const accumulate = r.accumulate != 0;
  for (let i = from; i < to; ++i) {
    const row = (<usize>i * cols) << 2;
    const x = r.kept + row;
    const dy = r.dy + row;
    const e = r.scratch + row;
    const s = exponentials(cols, x, <f32>reduceRow(MAX, cols, x), e);
    const factor = f32x4.splat(-(<f32>reduceRow(SUM, cols, dy)) / s);
    const out = r.out + row;
    const whole = (cols & ~3) << 2;
    const end = cols << 2;
    let at = 0;
    for (; at < whole; at += 16) {
      put4(out + at, f32x4.add(f32x4.mul(factor, v128.load(e + at)), v128.load(dy + at)), accumulate);
    }
    for (; at < end; at += 4) {
      const value = f32x4.add(f32x4.mul(factor, v128.load32_splat(e + at)), v128.load32_splat(dy + at));
      put1(out + at, value, accumulate);
    }
  }
}
