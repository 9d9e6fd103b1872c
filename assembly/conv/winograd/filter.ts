/**
 * The filters of a convolution, transformed once a call: U = G g Gᵀ as panels of B, [16][panel][k][8]. Forwards k counts
 * the channels of x and panels have those of y; for the gradient to the input it is the other way round, and filters
 * are turned by half a turn.
 */
import { NR } from '../../gemm/blocks';
import { packPanel } from '../../gemm/pack';
import { WinogradFilterRecord } from '../../records';
import { scratch } from '../../scratch';
import { CHANNELS, ROW } from './layout';
import { filterTile } from './transforms';

/** Bytes of one of the sixteen products, off powers of two. */
// @ts-ignore: decorator
@inline
export function filterStep(k: i32, n: i32): usize {
  return ((<usize>((n + NR - 1) / NR) * k * NR) << 2) + 64;
}

/** Transforms the filters of the columns [n0, n1), whole panels. */
export function winogradFilter(n0: i32, n1: i32, r: WinogradFilterRecord): void {
  const step = filterStep(r.k, r.n);
  for (let n = n0; n < n1; n += NR) {
    const valid = min(NR, n1 - n);
    const panel = r.out + ((<usize>n * r.k) << 2);
    if (r.turned) turnedPanel(r, n, valid, panel, step);
    else panelOf(r, n, valid, panel, step);
  }
}

/** Columns are filters: w[n, ky, kx, k]. They are transformed side by side, and then transposed. */
function panelOf(r: WinogradFilterRecord, n: i32, valid: i32, panel: usize, step: usize): void {
  const tap = (<usize>r.k) << 2;
  const rows = NR * ROW;
  for (let k0 = 0; k0 < r.k; k0 += CHANNELS) {
    const kc = min(CHANNELS, r.k - k0);
    for (let i = 0; i < valid; ++i) {
      const w = r.w + <usize>(n + i) * 9 * tap + ((<usize>k0) << 2);
      const to = scratch + i * ROW;
      for (let c: usize = 0; c < (<usize>kc) << 2; c += 16) filterTile(w + c, 3 * tap, tap, to + c, rows);
    }
    let out = panel + ((<usize>(k0 * NR)) << 2);
    for (let p = 0; p < 16; ++p, out += step) packPanel(NR, valid, kc, scratch + p * rows, ROW, false, out);
  }
}

/** Columns are channels: w[k, ky, kx, n], turned. Eight neighbours are a row of the panel. */
function turnedPanel(r: WinogradFilterRecord, n: i32, valid: i32, panel: usize, step: usize): void {
  const tap = (<usize>r.n) << 2;
  const last = r.w + ((<usize>n) << 2) + 8 * tap;
  for (let k = 0; k < r.k; ++k, panel += NR << 2) {
    const w = last + <usize>k * 9 * tap;
    for (let i = 0; i < valid; i += 4) filterTile(w + (i << 2), -3 * tap, -tap, panel + (i << 2), step);
  }
}
