/**
 * Selects elements by indices along the middle axis of x[outer, n, inner], and adds gradients back by the same indices:
 *
 *     gather        out[o,j,i]  = [out +] x[o, index(o,j,i), i]
 *     scatterAdd    out[o, index(o,j,i), i] += y[o,j,i],  in ascending j
 *
 * over [outer, m, inner]. An index is an i32 word at index + o·indexOuter + j·indexRow + i·indexCol. With strides 0, 1,
 * 0 whole rows are selected, as in an embedding. The caller has checked that indices lie in [0, n). A gather is exact.
 * A sum is rounded after each addition, and its order depends only on the indices.
 */
import { GatherRecord, ScatterAddRecord } from './records';

/** The items of the work are the rows (o, j) of the result. */
export function gather(from: i32, to: i32, r: GatherRecord): void {
  const m = r.m;
  const inner = r.inner;
  const accumulate = r.accumulate != 0;
  const step = (<usize>inner) << 2;
  let y = r.out + <usize>from * step;
  for (let row = from; row < to; ++row, y += step) {
    const o = row / m;
    const x = r.x + <usize>(o * r.n) * step;
    const index = r.index + ((o * r.indexOuter + (row - o * m) * r.indexRow) << 2);
    if (r.indexCol == 0) {
      const source = x + <usize>load<i32>(index) * step;
      if (accumulate) addRow(inner, source, y);
      else memory.copy(y, source, step);
      continue;
    }
    for (let i = 0; i < inner; ++i) {
      const value = f32.load(x + <usize>load<i32>(index + ((i * r.indexCol) << 2)) * step + (i << 2));
      const at = y + (i << 2);
      f32.store(at, accumulate ? f32.load(at) + value : value);
    }
  }
}

/** The items of the work are a box of outer and inner. No other box writes the same elements of the result. */
export function scatterAdd(o0: i32, o1: i32, i0: i32, i1: i32, r: ScatterAddRecord): void {
  const m = r.m;
  const step = (<usize>r.inner) << 2;
  for (let o = o0; o < o1; ++o) {
    const out = r.out + <usize>(o * r.n) * step;
    let y = r.y + <usize>(o * m) * step;
    for (let j = 0; j < m; ++j, y += step) {
      const index = r.index + ((o * r.indexOuter + j * r.indexRow) << 2);
      if (r.indexCol == 0) {
        addRow(i1 - i0, y + (i0 << 2), out + <usize>load<i32>(index) * step + (i0 << 2));
        continue;
      }
      for (let i = i0; i < i1; ++i) {
        const at = out + <usize>load<i32>(index + ((i * r.indexCol) << 2)) * step + (i << 2);
        f32.store(at, f32.load(at) + f32.load(y + (i << 2)));
      }
    }
  }
}

/** y[n] += x[n] */
function addRow(n: i32, x: usize, y: usize): void {
  const whole = x + ((n & ~3) << 2);
  const end = x + (n << 2);
  for (; x < whole; x += 16, y += 16) v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
  for (; x < end; x += 4, y += 4) f32.store(y, f32.load(y) + f32.load(x));
}
