/**
 * The machine's multiply-add peak as WebAssembly can reach it, from registers only. The benchmark divides by it.
 */
import { mulAdd } from './mul-add';
import { PeakRecord } from './records';
import { scratch } from './scratch';

/**
 * Does the items [from, to) of the work. Each is `turns` steps of 28 products and 28 sums of vectors, 224 flop. The
 * strict loop has seven chains of products and seven of sums. The relaxed loop has fourteen chains of multiply-adds. A
 * processor cannot have more operations in flight. So its throughput limits the speed, not its latency. The result is
 * stored only so that the compiler does not remove the work.
 */
export function peakMulAdd(from: i32, to: i32, r: PeakRecord): void {
  for (let item = from; item < to; ++item) {
    const sum = ASC_FEATURE_RELAXED_SIMD ? fusedChains(r.turns, scratch) : plainChains(r.turns, scratch);
    v128.store(scratch, sum);
  }
}

/**
 * m = m·m and c = c + m in each of seven pairs of chains. m is 1, but it is loaded from memory, so the compiler cannot
 * know that. c counts the turns.
 */
function plainChains(turns: i32, at: usize): v128 {
  f32.store(at, 1);
  const one = v128.load32_splat(at);
  let m0 = one;
  let c0 = one;
  let m1 = one;
  let c1 = one;
  let m2 = one;
  let c2 = one;
  let m3 = one;
  let c3 = one;
  let m4 = one;
  let c4 = one;
  let m5 = one;
  let c5 = one;
  let m6 = one;
  let c6 = one;
  // prettier-ignore
  for (let i = 0; i < turns; ++i) {
    m0 = f32x4.mul(m0, m0); c0 = f32x4.add(c0, m0); m1 = f32x4.mul(m1, m1); c1 = f32x4.add(c1, m1);
    m2 = f32x4.mul(m2, m2); c2 = f32x4.add(c2, m2); m3 = f32x4.mul(m3, m3); c3 = f32x4.add(c3, m3);
    m4 = f32x4.mul(m4, m4); c4 = f32x4.add(c4, m4); m5 = f32x4.mul(m5, m5); c5 = f32x4.add(c5, m5);
    m6 = f32x4.mul(m6, m6); c6 = f32x4.add(c6, m6);
    m0 = f32x4.mul(m0, m0); c0 = f32x4.add(c0, m0); m1 = f32x4.mul(m1, m1); c1 = f32x4.add(c1, m1);
    m2 = f32x4.mul(m2, m2); c2 = f32x4.add(c2, m2); m3 = f32x4.mul(m3, m3); c3 = f32x4.add(c3, m3);
    m4 = f32x4.mul(m4, m4); c4 = f32x4.add(c4, m4); m5 = f32x4.mul(m5, m5); c5 = f32x4.add(c5, m5);
    m6 = f32x4.mul(m6, m6); c6 = f32x4.add(c6, m6);
    m0 = f32x4.mul(m0, m0); c0 = f32x4.add(c0, m0); m1 = f32x4.mul(m1, m1); c1 = f32x4.add(c1, m1);
    m2 = f32x4.mul(m2, m2); c2 = f32x4.add(c2, m2); m3 = f32x4.mul(m3, m3); c3 = f32x4.add(c3, m3);
    m4 = f32x4.mul(m4, m4); c4 = f32x4.add(c4, m4); m5 = f32x4.mul(m5, m5); c5 = f32x4.add(c5, m5);
    m6 = f32x4.mul(m6, m6); c6 = f32x4.add(c6, m6);
    m0 = f32x4.mul(m0, m0); c0 = f32x4.add(c0, m0); m1 = f32x4.mul(m1, m1); c1 = f32x4.add(c1, m1);
    m2 = f32x4.mul(m2, m2); c2 = f32x4.add(c2, m2); m3 = f32x4.mul(m3, m3); c3 = f32x4.add(c3, m3);
    m4 = f32x4.mul(m4, m4); c4 = f32x4.add(c4, m4); m5 = f32x4.mul(m5, m5); c5 = f32x4.add(c5, m5);
    m6 = f32x4.mul(m6, m6); c6 = f32x4.add(c6, m6);
  }
  return f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), c6));
}

/** c = c·x + x in each of fourteen chains. x = 1/2 keeps c at 1. */
function fusedChains(turns: i32, at: usize): v128 {
  f32.store(at, 0.5);
  const x = v128.load32_splat(at);
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
  let c12 = x;
  let c13 = x;
  // prettier-ignore
  for (let i = 0; i < turns; ++i) {
    c0 = mulAdd(c0, x, x); c1 = mulAdd(c1, x, x); c2 = mulAdd(c2, x, x); c3 = mulAdd(c3, x, x);
    c4 = mulAdd(c4, x, x); c5 = mulAdd(c5, x, x); c6 = mulAdd(c6, x, x); c7 = mulAdd(c7, x, x);
    c8 = mulAdd(c8, x, x); c9 = mulAdd(c9, x, x); c10 = mulAdd(c10, x, x); c11 = mulAdd(c11, x, x);
    c12 = mulAdd(c12, x, x); c13 = mulAdd(c13, x, x);
    c0 = mulAdd(c0, x, x); c1 = mulAdd(c1, x, x); c2 = mulAdd(c2, x, x); c3 = mulAdd(c3, x, x);
    c4 = mulAdd(c4, x, x); c5 = mulAdd(c5, x, x); c6 = mulAdd(c6, x, x); c7 = mulAdd(c7, x, x);
    c8 = mulAdd(c8, x, x); c9 = mulAdd(c9, x, x); c10 = mulAdd(c10, x, x); c11 = mulAdd(c11, x, x);
    c12 = mulAdd(c12, x, x); c13 = mulAdd(c13, x, x);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), c6));
  const high = f32x4.add(f32x4.add(f32x4.add(c7, c8), f32x4.add(c9, c10)), f32x4.add(f32x4.add(c11, c12), c13));
  return f32x4.add(low, high);
}

/** Whether this build's multiply-add rounds once. If so, (1 + 2^-12)² - (1 + 2^-11) is 2^-24, else 0. */
export function isFused(at: usize): bool {
  f32.store(at, 1.000244140625);
  f32.store(at, -1.00048828125, 4);
  const a = v128.load32_splat(at);
  const c = v128.load32_splat(at, 4);
  return f32x4.extract_lane(mulAdd(a, a, c), 0) != 0;
}
