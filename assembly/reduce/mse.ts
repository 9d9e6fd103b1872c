/**
 * The mean squared error of two arrays, and its gradient.
 *
 * Order of summation: each block of BLOCK elements is summed in float32, in eight lanes. The sums of blocks
 * are added in float64, in ascending order.
 */
import { MseBackwardRecord, MseRecord, SquaredErrorBlocksRecord } from '../records';
import { BLOCK, lanes } from './sum';

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
  let total = lanes(f32x4.add(s0, s1));
  for (; a < end; a += 4, b += 4) {
    const d = f32.load(a) - f32.load(b);
    total += <f64>(d * d);
  }
  return total;
}

/** partials[i] is the sum of the squared errors in block i, for from <= i < to. See also `sumBlocks`. */
export function squaredErrorBlocks(from: i32, to: i32, r: SquaredErrorBlocksRecord): void {
  for (let i = from; i < to; ++i) {
    const at = (i * BLOCK) << 2;
    f64.store(r.partials + (i << 3), squaredErrorBlock(min(BLOCK, r.n - i * BLOCK), r.a + at, r.b + at));
  }
}

/** out[0] = mean of (a - b)² over n elements. For n = 0 this is 0/0, NaN. One thread does all the work. */
export function mse(from: i32, to: i32, r: MseRecord): void {
  let total: f64 = 0;
  for (let i = 0; i < r.n; i += BLOCK) {
    total += squaredErrorBlock(min(BLOCK, r.n - i), r.a + (i << 2), r.b + (i << 2));
  }
  f32.store(r.out, <f32>(total / <f64>r.n));
}

/** dx[i] = [dx[i] +] scale·dy[0]·(a[i] - b[i]). With scale 2/n it is the gradient of a, and with -2/n that of b. */
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
