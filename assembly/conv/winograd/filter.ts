/**
 * The filters of a convolution, transformed once for each call: U = G g Gᵀ as panels of B, [products][panel][k][16].
 * There are 16 products for tiles of 2x2 results, and 36 for tiles of 4x4 (winograd4/). The last panel has eight columns
 * if at most eight are left. In the forward pass k runs over the channels of x, and panels are channels of y. For the
 * gradient to the input the roles are exchanged, and filters are rotated by 180 degrees.
 */
import { storeColumns4 } from '../../gemm/pack';
import { WinogradFilterRecord } from '../../records';
import { scratch } from '../../scratch';
import { filterTile as filterTile4 } from '../winograd4/transforms';
import { CHANNELS, ROW } from './layout';
import { NARROW, panelWidth, WIDE } from './tiles';
import { filterTile as filterTile2 } from './transforms';

/**
 * The size in bytes of one of the products. An extra cache line keeps it from being a power of two. With a power of
 * two, all products would fall into the same lines of the cache.
 */
// @ts-ignore: decorator
@inline
export function filterStep(k: i32, n: i32): usize {
  return ((<usize>((n + NARROW - 1) & -NARROW) * k) << 2) + 64;
}

/** Transforms the filters of the columns [n0, n1). The bounds are those of whole panels. */
export function winogradFilter(n0: i32, n1: i32, r: WinogradFilterRecord): void {
  const step = filterStep(r.k, r.n);
  for (let n = n0; n < n1; n += WIDE) {
    const width = panelWidth(n1 - n);
    const valid = min(width, n1 - n);
    const panel = r.out + ((<usize>n * r.k) << 2);
    if (r.turned) turnedPanel(r, n, width, valid, panel, step);
    else panelOf(r, n, width, valid, panel, step);
  }
}

/** Columns are filters: w[n, ky, kx, k]. They are transformed side by side and then transposed. */
function panelOf(r: WinogradFilterRecord, n: i32, width: i32, valid: i32, panel: usize, step: usize): void {
  const tap = (<usize>r.k) << 2;
  const rows = WIDE * ROW;
  const line = (<usize>width) << 2;
  const products = (r.tile + 2) * (r.tile + 2);
  for (let k0 = 0; k0 < r.k; k0 += CHANNELS) {
    const size = (<usize>min(CHANNELS, r.k - k0)) << 2;
    for (let i = 0; i < valid; ++i) {
      const w = r.w + <usize>(n + i) * 9 * tap + ((<usize>k0) << 2);
      const to = scratch + i * ROW;
      for (let c: usize = 0; c < size; c += 16) filterTile(r.tile, w + c, 3 * tap, tap, to + c, rows);
    }
    for (let p = 0; p < products; ++p) {
      const out = panel + p * step + <usize>k0 * line;
      for (let i = 0; i < valid; i += 4) transpose(scratch + p * rows + i * ROW, size, out + (i << 2), line);
    }
  }
}

/** Four rows of a matrix as four columns of a panel. */
function transpose(x: usize, size: usize, out: usize, line: usize): void {
  for (const end = x + size; x < end; x += 16, out += line << 2) {
    storeColumns4(v128.load(x), v128.load(x, ROW), v128.load(x, 2 * ROW), v128.load(x, 3 * ROW), out, line);
  }
}

/** Columns are channels: w[k, ky, kx, n], rotated. A row of the panel has neighbouring channels. */
function turnedPanel(r: WinogradFilterRecord, n: i32, width: i32, valid: i32, panel: usize, step: usize): void {
  const tap = (<usize>r.n) << 2;
  const last = r.w + ((<usize>n) << 2) + 8 * tap;
  for (let k = 0; k < r.k; ++k, panel += (<usize>width) << 2) {
    const w = last + <usize>k * 9 * tap;
    for (let i = 0; i < valid; i += 4) filterTile(r.tile, w + (i << 2), -3 * tap, -tap, panel + (i << 2), step);
  }
}

/** G g Gᵀ of four filters, for tiles of 2x2 or 4x4 results. */
// @ts-ignore: decorator
@inline
function filterTile(tile: i32, g: usize, tapY: usize, tapX: usize, out: usize, step: usize): void {
  if (tile == 2) filterTile2(g, tapY, tapX, out, step);
  else filterTile4(g, tapY, tapX, out, step);
}
