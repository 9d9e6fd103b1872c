/**
 * The register tile of the Winograd kernels, C[4,8] = [C +] A·B over matrices of the workspace that nobody packs: with
 * `load32_splat` any four rows of A will do. As in gemm/tile-4x8.ts each element is a chain `acc = acc + a·b` in
 * ascending k, one step of k an iteration, and the loop over tiles stands in here.
 */
import { put4 } from '../../elementwise/put';
import { mulAdd } from '../../mul-add';
import { ROW } from './layout';

/** Rows and columns of the tile. */
export const TALL: i32 = 4;
export const WIDE: i32 = 8;

/**
 * `count` tiles, one below the other. A's element (row, k) is at row·aRow + k·aStep bytes, B's rows lie bStep apart.
 * The steps are constants, which become part of the instructions.
 */
// @ts-ignore: decorator
@inline
function tiles(
  count: i32,
  kc: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  ldc: usize,
  accumulate: bool,
): void {
  const end = b + <usize>kc * bStep;
  for (let left = count; left > 0; --left) {
    let p = a;
    let q = b;
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    // prettier-ignore
    while (q < end) {
      const b0 = v128.load(q), b1 = v128.load(q, 16);
      const a0 = v128.load32_splat(p), a1 = v128.load32_splat(p + aRow);
      const a2 = v128.load32_splat(p + 2 * aRow), a3 = v128.load32_splat(p + 3 * aRow);
      p += aStep;
      q += bStep;
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
    a += <usize>TALL * aRow;
  }
}

/** Tiles of A[rows, k]·B[k, 8]: A is a matrix of the workspace, B a packed panel. */
export function tilesOfRows(count: i32, kc: i32, a: usize, b: usize, c: usize, accumulate: bool): void {
  tiles(count, kc, a, ROW, 4, b, WIDE << 2, c, ROW, accumulate);
}

/** Tiles of Aᵀ[rows, k]·B[k, 8]: A, stored [k, rows], and B are matrices of the workspace. */
export function tilesOfColumns(count: i32, kc: i32, a: usize, b: usize, c: usize, ldc: usize, accumulate: bool): void {
  tiles(count, kc, a, 4, ROW, b, ROW, c, ldc, accumulate);
}
