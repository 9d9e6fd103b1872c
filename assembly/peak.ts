/**
 * The machine's multiply-add peak as WebAssembly can reach it, from registers alone: the bench divides by it.
 */
import { mulAdd } from './mul-add';

/**
 * Runs n steps of twelve chains c = c·x + y, 96·n flop for vectors of four: more chains than a multiplication
 * and an addition, one after the other, have cycles of latency, and each depends on its last step, so that no
 * compiler finds anything to share or to hoist. x = y = 1/2 keeps c near 1. The factors come from memory at `at`
 * (4 bytes): V8 would build a constant anew in each step. The result only keeps the work from being dropped.
 */
export function peakMulAdd(n: i32, at: usize): f32 {
  f32.store(at, 0.5);
  const x = v128.load32_splat(at);
  const y = x;
  let c0 = x;
  let c1 = x;
  let c2 = x;
  let c3 = x;
  let c4 = x;
  let c5 = x;
  let c6 = x;
  let c7 = x;
  let c8 = x;
  let c9 = x;
  let c10 = x;
  let c11 = x;
  // prettier-ignore
  for (let i = 0; i < n; i += 2) {
    c0 = mulAdd(c0, x, y); c1 = mulAdd(c1, x, y); c2 = mulAdd(c2, x, y); c3 = mulAdd(c3, x, y);
    c4 = mulAdd(c4, x, y); c5 = mulAdd(c5, x, y); c6 = mulAdd(c6, x, y); c7 = mulAdd(c7, x, y);
    c8 = mulAdd(c8, x, y); c9 = mulAdd(c9, x, y); c10 = mulAdd(c10, x, y); c11 = mulAdd(c11, x, y);
    c0 = mulAdd(c0, x, y); c1 = mulAdd(c1, x, y); c2 = mulAdd(c2, x, y); c3 = mulAdd(c3, x, y);
    c4 = mulAdd(c4, x, y); c5 = mulAdd(c5, x, y); c6 = mulAdd(c6, x, y); c7 = mulAdd(c7, x, y);
    c8 = mulAdd(c8, x, y); c9 = mulAdd(c9, x, y); c10 = mulAdd(c10, x, y); c11 = mulAdd(c11, x, y);
  }
  const a = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
  const s = f32x4.add(a, f32x4.add(f32x4.add(c8, c9), f32x4.add(c10, c11)));
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3);
}

/** Whether this build's multiply-add rounds once: (1 + 2^-12)² - (1 + 2^-11) is 2^-24 then, and else 0. */
export function isFused(at: usize): bool {
  f32.store(at, 1.000244140625);
  f32.store(at, -1.00048828125, 4);
  const a = v128.load32_splat(at);
  const c = v128.load32_splat(at, 4);
  return f32x4.extract_lane(mulAdd(a, a, c), 0) != 0;
}
