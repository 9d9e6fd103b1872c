/**
 * The machine's multiply-add peak as WebAssembly can reach it: the arithmetic of the GEMM's tile, eight
 * chains of `acc = acc + a·b`, from registers alone. The bench divides by it.
 */

import { mulAdd } from './gemm-6x8-fma';

/**
 * Runs 4·n steps of 8 vector multiplications and 8 vector additions: 256·n flop. The six factors come from
 * memory at `at` (96 bytes) once: V8 would move the computation of a constant into the loop. The result only
 * keeps the compiler from dropping the work.
 */
export function peakMulAdd(n: i32, at: usize): f32 {
  let x0 = v128.load(at),
    x1 = v128.load(at, 16);
  const y0 = v128.load(at, 32),
    y1 = v128.load(at, 48),
    y2 = v128.load(at, 64),
    y3 = v128.load(at, 80);
  let c0 = x0,
    c1 = x0,
    c2 = x0,
    c3 = x0,
    c4 = x0,
    c5 = x0,
    c6 = x0,
    c7 = x0;
  for (let i = 0; i < n; ++i) {
    for (let unroll = 0; unroll < 4; ++unroll) {
      c0 = mulAdd(x0, y0, c0);
      c1 = mulAdd(x0, y1, c1);
      c2 = mulAdd(x0, y2, c2);
      c3 = mulAdd(x0, y3, c3);
      c4 = mulAdd(x1, y0, c4);
      c5 = mulAdd(x1, y1, c5);
      c6 = mulAdd(x1, y2, c6);
      c7 = mulAdd(x1, y3, c7);
      // Exchanged by renaming: the products change each step, so that no compiler can hoist them.
      const t = x0;
      x0 = x1;
      x1 = t;
    }
  }
  const s = f32x4.add(
    f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)),
    f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)),
  );
  return (
    f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3)
  );
}

/** Whether this build's multiply-add rounds once: (1 + 2^-12)² - (1 + 2^-11) is 2^-24 then, and else 0. */
export function isFused(at: usize): bool {
  f32.store(at, 1.000244140625);
  f32.store(at, -1.00048828125, 4);
  const a = v128.load32_splat(at), c = v128.load32_splat(at, 4);
  return f32x4.extract_lane(mulAdd(a, a, c), 0) != 0;
}
