/**
 * Attention of one query without a mask. A lane is a key in the first product, and a channel of the values in the
 * second: with queries as lanes, only one lane would be used. The packed panels are the same as for blocks of queries.
 *
 * Order of summation: scores over ascending channels, y over ascending keys. For the sum of
 * exponentials, each lane first adds every fourth key. Then the four lanes are added.
 */
import { exponentials2 } from '../elementwise/exp';
import { mulAdd } from '../mul-add';
import { AttentionRecord } from '../records';
import { factorOf, LEAST } from './scores';

/** out[count·4] = x[kc]·a. The matrix a is stored as `count` panels [kc][4], which begin `size` bytes apart. */
function rowTimesPanels(count: i32, kc: i32, x: usize, a: usize, size: usize, out: usize): void {
  const end = x + ((<usize>kc) << 2);
  // Four panels at a time, because additions to a single sum wait for each other.
  for (; count >= 4; count -= 4, a += size << 2, out += 64) {
    let c0 = f32x4.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let a0 = a;
    for (let at = x; at < end; at += 4, a0 += 16) {
      const f = v128.load32_splat(at);
      c0 = mulAdd(f, v128.load(a0), c0);
      c1 = mulAdd(f, v128.load(a0 + size), c1);
      c2 = mulAdd(f, v128.load(a0 + (size << 1)), c2);
      c3 = mulAdd(f, v128.load(a0 + 3 * size), c3);
    }
    v128.store(out, c0);
    v128.store(out, c1, 16);
    v128.store(out, c2, 32);
    v128.store(out, c3, 48);
  }
  for (; count > 0; --count, a += size, out += 16) {
    let c = f32x4.splat(0);
    let a0 = a;
    for (let at = x; at < end; at += 4, a0 += 16) {
      c = mulAdd(v128.load32_splat(at), v128.load(a0), c);
    }
    v128.store(out, c);
  }
}

/** The largest of four lanes, in all four lanes. */
// @ts-ignore: decorator
@inline
function largest(x: v128): v128 {
  const y = f32x4.pmax(x, v128.shuffle<i32>(x, x, 2, 3, 0, 1));
  return f32x4.pmax(y, v128.shuffle<i32>(y, y, 1, 0, 3, 2));
}

/** @param n the number of keys that the query uses, @param space memory for n + 4 scores and valueDim + 4 results */
export function single(r: AttentionRecord, n: i32, q: usize, out: usize, k: usize, v: usize, space: usize): void {
  const panels = (n + 3) >> 2;
  const scores = space;
  const result = scores + ((<usize>panels) << 4);
  rowTimesPanels(panels, r.dim, q, k, (<usize>r.dim) << 4, scores);
  for (let j = n; j < panels << 2; ++j) f32.store(scores + ((<usize>j) << 2), -Infinity);
  let m = f32x4.splat(LEAST);
  for (let at = scores; at < result; at += 16) m = f32x4.pmax(m, v128.load(at));
  const sums = exponentials2(panels, 16, scores, largest(m), f32x4.splat(factorOf(r)));
  const sum =
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  const inverse: f32 = sum == 0 ? 0 : 1 / sum;
  rowTimesPanels((r.valueDim + 3) >> 2, n, scores, v, (<usize>r.keys) << 4, result);
  const f = f32x4.splat(inverse);
  let c = 0;
  for (; c + 4 <= r.valueDim; c += 4, out += 16) v128.store(out, f32x4.mul(v128.load(result + ((<usize>c) << 2)), f));
  for (; c < r.valueDim; ++c, out += 4) f32.store(out, f32.load(result + ((<usize>c) << 2)) * inverse);
}
