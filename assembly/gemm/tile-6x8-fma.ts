/**
 * The micro-kernel of the relaxed build: 6x8 tiles of C = A·B side by side, each in twelve register accumulators, by
 * multiply-add.
 *
 * In each step of k it loads two vectors of B, splats six values of A one after the other, and does 12 multiply-adds.
 * With 12 accumulators, two vectors and one splat, fifteen registers are live. V8 has no more. If the engine fuses
 * multiply-adds, each element of C is rounded once in each step. The engine decides, so the bits depend on the machine.
 */
import { mulAdd } from '../mul-add';
import { put } from './tile-4x8';

/** As the tiles of tile-4x8.ts, with a packed panel [kc][6] of A. */
export function tiles(
  count: i32,
  kc: i32,
  panel: usize,
  b: usize,
  c: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  const size = kc << 5;
  for (let left = count; left > 0; --left, c += 32) {
    const end = b + size;
    let a = panel;
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
    // One step of k in an iteration, as in tile-4x8.ts.
    // prettier-ignore
    for (; b < end; a += 24, b += 32) {
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
    let row = c;
    put(row, c00, accumulate, bias, activate);
    put(row + 16, c01, accumulate, bias1, activate);
    row += ldc;
    put(row, c10, accumulate, bias, activate);
    put(row + 16, c11, accumulate, bias1, activate);
    row += ldc;
    put(row, c20, accumulate, bias, activate);
    put(row + 16, c21, accumulate, bias1, activate);
    row += ldc;
    put(row, c30, accumulate, bias, activate);
    put(row + 16, c31, accumulate, bias1, activate);
    row += ldc;
    put(row, c40, accumulate, bias, activate);
    put(row + 16, c41, accumulate, bias1, activate);
    row += ldc;
    put(row, c50, accumulate, bias, activate);
    put(row + 16, c51, accumulate, bias1, activate);
    if (bias) bias += 32;
  }
}
