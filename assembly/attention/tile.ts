/**
 * The micro-kernel of attention: tiles of C = A·B one below the other, with 4 rows and `width` columns each. All tiles
 * share one panel of B, and the panels of A lie one after the other. If `ldc` is the number of bytes of a row of B's
 * panels, the result is again such a panel. It is then the B of the next product.
 *
 * Every element is summed in ascending k, as in gemm/tile-4x8.ts, which explains the form of the loops. Both builds
 * have 4 rows. With 49 tokens, six rows would compute more rows that are not used.
 */
import { put4 } from '../elementwise/put';
import { mulAdd } from '../mul-add';

/** The rows of a tile, which are the lanes of a panel of A. */
export const ROWS: i32 = 4;
/** The columns of a tile, which are the lanes of a panel of B. */
export const WIDE: i32 = 8;
export const NARROW: i32 = 4;

/**
 * @param width a constant: WIDE or NARROW
 * @param count the number of tiles
 * @param a packed panels [kc][4] of A, each followed by a gap of `skip` bytes
 * @param panel packed panel [kc][width] of B
 * @param ldc bytes from one row of C to the next
 */
// @ts-ignore: decorator
@inline
export function tiles(
  width: i32,
  count: i32,
  kc: i32,
  a: usize,
  skip: usize,
  panel: usize,
  c: usize,
  ldc: usize,
  accumulate: bool,
): void {
  if (width == WIDE) wideTiles(count, kc, a, skip, panel, c, ldc, accumulate);
  else narrowTiles(count, kc, a, skip, panel, c, ldc, accumulate);
}

/**
 * The same for `rows` rows of C. Whole tiles are written, but a single remaining row, as of 49, is computed by itself.
 * `ldc` is that of a panel.
 */
// @ts-ignore: decorator
@inline
export function rowsOf(width: i32, rows: i32, kc: i32, a: usize, panel: usize, c: usize): void {
  const single = rows % ROWS == 1;
  const count = single ? rows / ROWS : (rows + ROWS - 1) / ROWS;
  const ldc = (<usize>width) << 2;
  tiles(width, count, kc, a, 0, panel, c, ldc, false);
  if (!single) return;
  a += (<usize>(count * kc)) << 4;
  c += <usize>(count * ROWS) * ldc;
  let c0 = f32x4.splat(0);
  let c1 = c0;
  for (const end = a + ((<usize>kc) << 4); a < end; a += 16, panel += ldc) {
    const a0 = v128.load32_splat(a);
    c0 = mulAdd(a0, v128.load(panel), c0);
    if (width > NARROW) c1 = mulAdd(a0, v128.load(panel, 16), c1);
  }
  v128.store(c, c0);
  if (width > NARROW) v128.store(c, c1, 16);
}

function wideTiles(
  count: i32,
  kc: i32,
  a: usize,
  skip: usize,
  panel: usize,
  c: usize,
  ldc: usize,
  accumulate: bool,
): void {
  const size = kc << 4;
  for (let left = count; left > 0; --left, a += skip) {
    const end = a + size;
    let b = panel;
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    // prettier-ignore
    while (a < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const a0 = v128.load32_splat(a), a1 = v128.load32_splat(a, 4);
      const a2 = v128.load32_splat(a, 8), a3 = v128.load32_splat(a, 12);
      a += 16;
      b += 32;
      c00 = mulAdd(a0, b0, c00); c01 = mulAdd(a0, b1, c01);
      c10 = mulAdd(a1, b0, c10); c11 = mulAdd(a1, b1, c11);
      c20 = mulAdd(a2, b0, c20); c21 = mulAdd(a2, b1, c21);
      c30 = mulAdd(a3, b0, c30); c31 = mulAdd(a3, b1, c31);
    }
    put4(c, c00, accumulate);
    put4(c + 16, c01, accumulate);
    c += ldc;
    put4(c, c10, accumulate);
    put4(c + 16, c11, accumulate);
    c += ldc;
    put4(c, c20, accumulate);
    put4(c + 16, c21, accumulate);
    c += ldc;
    put4(c, c30, accumulate);
    put4(c + 16, c31, accumulate);
    c += ldc;
  }
}

function narrowTiles(
  count: i32,
  kc: i32,
  a: usize,
  skip: usize,
  panel: usize,
  c: usize,
  ldc: usize,
  accumulate: bool,
): void {
  const size = kc << 4;
  for (let left = count; left > 0; --left, a += skip) {
    const end = a + size;
    let c0 = f32x4.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    for (let b = panel; a < end; a += 16, b += 16) {
      const b0 = v128.load(b);
      c0 = mulAdd(v128.load32_splat(a), b0, c0);
      c1 = mulAdd(v128.load32_splat(a, 4), b0, c1);
      c2 = mulAdd(v128.load32_splat(a, 8), b0, c2);
      c3 = mulAdd(v128.load32_splat(a, 12), b0, c3);
    }
    put4(c, c0, accumulate);
    c += ldc;
    put4(c, c1, accumulate);
    c += ldc;
    put4(c, c2, accumulate);
    c += ldc;
    put4(c, c3, accumulate);
    c += ldc;
  }
}
