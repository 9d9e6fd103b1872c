/**
 * Micro-kernel of the relaxed build: one 6x8 tile of C = A·B, in twelve register accumulators, by multiply-add.
 *
 * Per step of k it loads two vectors of B, splats six values of A one after the other, and does 12
 * multiply-adds: with 12 accumulators, two vectors and one splat, fifteen registers are live, all that V8 has.
 * Where the engine fuses, each element of C is rounded once a step; whether it does is its own choice, so that
 * the bits depend on the machine.
 */
import { mulAdd } from '../mul-add';
import { put } from './tile-4x8';

/** As the tile of tile-4x8.ts, with a packed panel [kc][6]. */
export function tile(
  kc: i32,
  a: usize,
  b: usize,
  c: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  // One step of k an iteration, as in tile-4x8.ts.
  // prettier-ignore
  for (const end = b + (kc << 5); b < end; a += 24, b += 32) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let a0 = v128.load32_splat(a);
    c00 = mulAdd(a0, b0, c00); c01 = mulAdd(a0, b1, c01);
    a0 = v128.load32_splat(a, 4);
    c10 = mulAdd(a0, b0, c10); c11 = mulAdd(a0, b1, c11);
    a0 = v128.load32_splat(a, 8);
    c20 = mulAdd(a0, b0, c20); c21 = mulAdd(a0, b1, c21);
    a0 = v128.load32_splat(a, 12);
    c30 = mulAdd(a0, b0, c30); c31 = mulAdd(a0, b1, c31);
    a0 = v128.load32_splat(a, 16);
    c40 = mulAdd(a0, b0, c40); c41 = mulAdd(a0, b1, c41);
    a0 = v128.load32_splat(a, 20);
    c50 = mulAdd(a0, b0, c50); c51 = mulAdd(a0, b1, c51);
  }
  const bias1 = bias ? bias + 16 : 0;
  put(c, c00, accumulate, bias, activate);
  put(c + 16, c01, accumulate, bias1, activate);
  c += ldc;
  put(c, c10, accumulate, bias, activate);
  put(c + 16, c11, accumulate, bias1, activate);
  c += ldc;
  put(c, c20, accumulate, bias, activate);
  put(c + 16, c21, accumulate, bias1, activate);
  c += ldc;
  put(c, c30, accumulate, bias, activate);
  put(c + 16, c31, accumulate, bias1, activate);
  c += ldc;
  put(c, c40, accumulate, bias, activate);
  put(c + 16, c41, accumulate, bias1, activate);
  c += ldc;
  put(c, c50, accumulate, bias, activate);
  put(c + 16, c51, accumulate, bias1, activate);
}
