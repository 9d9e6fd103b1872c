/**
 * The micro-kernel of the strict build: 4x8 tiles of C = A·B side by side, each in eight register accumulators. The
 * loop over tiles is inside the function. V8 on Node 20 then computes the addresses of the splats only once. This is
 * faster by a sixth than a call for each tile.
 *
 * In each step of k it loads two vectors of B, splats four values of A, and does 8 multiplications and 8 additions. 11
 * of the 16 registers of x86-64 are live, so nothing spills. Every element of C is a chain of `acc = acc + a·b` in
 * ascending k, and each operation is rounded once. So the bits do not depend on the machine.
 *
 * Source: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), section 6.
 */

import { activation4 } from '../elementwise/activation';

/** Stores one vector of a tile: adds the old values and the bias, and then applies the activation. */
// @ts-ignore: decorator
@inline
export function put(c: usize, acc: v128, accumulate: bool, bias: usize, activate: i32): void {
  if (accumulate) acc = f32x4.add(v128.load(c), acc);
  if (bias) acc = f32x4.add(acc, v128.load(bias));
  if (activate) acc = activation4(activate, acc);
  v128.store(c, acc);
}

/**
 * `count` tiles `c[4,8] = [c +] a·b [+ bias]` side by side, then the activation.
 *
 * @param panel packed panel [kc][4] of A, which all tiles share
 * @param b packed panels [kc][8] of B, one after the other
 * @param ldc bytes from one row of C to the next
 * @param bias address of the values that are added to every row, or 0
 * @param activate a code of elementwise/activation.ts, or 0 for none
 */
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
    // One step of k in an iteration. If the loop is unrolled, V8 moves the loads of all steps to the front, and other
    // registers spill. With two steps in an iteration the speed on Node 20 falls to two thirds.
    // prettier-ignore
    while (b < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const a0 = v128.load32_splat(a), a1 = v128.load32_splat(a, 4);
      const a2 = v128.load32_splat(a, 8), a3 = v128.load32_splat(a, 12);
      a += 16;
      b += 32;
      c00 = f32x4.add(c00, f32x4.mul(a0, b0)); c01 = f32x4.add(c01, f32x4.mul(a0, b1));
      c10 = f32x4.add(c10, f32x4.mul(a1, b0)); c11 = f32x4.add(c11, f32x4.mul(a1, b1));
      c20 = f32x4.add(c20, f32x4.mul(a2, b0)); c21 = f32x4.add(c21, f32x4.mul(a2, b1));
      c30 = f32x4.add(c30, f32x4.mul(a3, b0)); c31 = f32x4.add(c31, f32x4.mul(a3, b1));
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
    if (bias) bias += 32;
  }
}
