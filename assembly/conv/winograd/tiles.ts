/**
 * The register tiles of the Winograd kernels, C = [C +] A·B: 2x16 and, for the last eight columns, 4x8. As in
 * gemm/tile-4x8.ts, each element is a chain `acc = acc + a·b` in ascending k. An iteration is one step of k, and the
 * loop over tiles is inside the function. A is not packed. It is a matrix of the workspace, and may be transposed.
 *
 * Two rows are faster than four, because V8 on Node 20 computes a separate address for each `load32_splat` after the
 * first.
 */
import { put4 } from '../../elementwise/put';
import { mulAdd } from '../../mul-add';
import { ROW } from './layout';

/** The columns of a wide tile, and of a narrow one at the end. TALL is a multiple of the rows of both. */
export const WIDE: i32 = 16;
export const NARROW: i32 = 8;
export const TALL: i32 = 4;

/** Stores a row of a tile, or adds it to the old values. */
// @ts-ignore: decorator
@inline
function put(accumulate: bool, c: usize, x0: v128, x1: v128): void {
  put4(c, x0, accumulate);
  put4(c + 16, x1, accumulate);
}

/** `count` tiles 2x16, one below the other. `A` is stored by rows or by columns; that is a compile-time constant. */
// @ts-ignore: decorator
@inline
function wide(
  byRows: bool,
  count: i32,
  kc: i32,
  a: usize,
  b: usize,
  bStep: usize,
  c: usize,
  ldc: usize,
  add: bool,
): void {
  const end = b + <usize>kc * bStep;
  for (let left = count; left > 0; --left) {
    let p = a;
    let q = b;
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c02 = c00;
    let c03 = c00;
    let c10 = c00;
    let c11 = c00;
    let c12 = c00;
    let c13 = c00;
    // prettier-ignore
    while (q < end) {
      const b0 = v128.load(q), b1 = v128.load(q, 16), b2 = v128.load(q, 32), b3 = v128.load(q, 48);
      const a0 = v128.load32_splat(p);
      const a1 = byRows ? v128.load32_splat(p, ROW) : v128.load32_splat(p, 4);
      p += byRows ? 4 : ROW;
      q += bStep;
      c00 = mulAdd(a0, b0, c00); c01 = mulAdd(a0, b1, c01); c02 = mulAdd(a0, b2, c02); c03 = mulAdd(a0, b3, c03);
      c10 = mulAdd(a1, b0, c10); c11 = mulAdd(a1, b1, c11); c12 = mulAdd(a1, b2, c12); c13 = mulAdd(a1, b3, c13);
    }
    const next = c + ldc;
    if (add) {
      put(true, c, c00, c01);
      put(true, c + 32, c02, c03);
      put(true, next, c10, c11);
      put(true, next + 32, c12, c13);
    } else {
      put(false, c, c00, c01);
      put(false, c + 32, c02, c03);
      put(false, next, c10, c11);
      put(false, next + 32, c12, c13);
    }
    c = next + ldc;
    a += byRows ? 2 * ROW : 8;
  }
}

/** `count` tiles 4x8, one below the other. */
// @ts-ignore: decorator
@inline
function narrow(
  byRows: bool,
  count: i32,
  kc: i32,
  a: usize,
  b: usize,
  bStep: usize,
  c: usize,
  ldc: usize,
  add: bool,
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
      const a0 = v128.load32_splat(p);
      const a1 = byRows ? v128.load32_splat(p, ROW) : v128.load32_splat(p, 4);
      const a2 = byRows ? v128.load32_splat(p, 2 * ROW) : v128.load32_splat(p, 8);
      const a3 = byRows ? v128.load32_splat(p, 3 * ROW) : v128.load32_splat(p, 12);
      p += byRows ? 4 : ROW;
      q += bStep;
      c00 = mulAdd(a0, b0, c00); c01 = mulAdd(a0, b1, c01); c10 = mulAdd(a1, b0, c10); c11 = mulAdd(a1, b1, c11);
      c20 = mulAdd(a2, b0, c20); c21 = mulAdd(a2, b1, c21); c30 = mulAdd(a3, b0, c30); c31 = mulAdd(a3, b1, c31);
    }
    put(add, c, c00, c01);
    put(add, c + ldc, c10, c11);
    put(add, c + 2 * ldc, c20, c21);
    put(add, c + 3 * ldc, c30, c31);
    c += 4 * ldc;
    a += byRows ? 4 * ROW : 16;
  }
}

/** The columns of the current panel, if `left` columns remain. */
// @ts-ignore: decorator
@inline
export function panelWidth(left: i32): i32 {
  return left > NARROW ? WIDE : NARROW;
}

/**
 * C[rows, width] = [C +] A[rows, k]·B[k, width], with rows a multiple of four. A is a matrix of the workspace, and B a
 * packed panel.
 */
export function productOfRows(rows: i32, width: i32, kc: i32, a: usize, b: usize, c: usize, add: bool): void {
  if (width == WIDE) wide(true, rows >> 1, kc, a, b, WIDE << 2, c, ROW, add);
  else narrow(true, rows >> 2, kc, a, b, NARROW << 2, c, ROW, add);
}

/**
 * C[rows, width] = [C +] Aᵀ[rows, k]·B[k, width]. A, which is stored [k, rows], and B are matrices of the workspace.
 */
export function productOfColumns(
  rows: i32,
  width: i32,
  kc: i32,
  a: usize,
  b: usize,
  c: usize,
  ldc: usize,
  add: bool,
): void {
  if (width == WIDE) wide(false, rows >> 1, kc, a, b, ROW, c, ldc, add);
  else narrow(false, rows >> 2, kc, a, b, ROW, c, ldc, add);
}
