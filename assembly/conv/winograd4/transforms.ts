/**
 * The transforms of Winograd's F(4x4, 3x3). A tile of 4x4 results of a 3x3 filter g over 6x6 pixels d is
 *
 *     Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A,      36 products in place of 144
 *
 * The polynomials are evaluated at 0, ±p, ±q and infinity, with p = √½ and q = √2. These points have the smallest error
 * of the three sets that we measured.
 *
 *          1    0   -5/2    0    1    0          1      0      0
 *          0  -2p    -2     p    1    0        -2/3  -2p/3   -1/3             1  1   1   1   1  0
 *     Bᵀ = 0   2p    -2    -p    1    0    G = -2/3   2p/3   -1/3        Aᵀ = 0  p  -p   q  -q  0
 *          0  -q/2   -½     q    1    0         1/6    q/6    1/3             0  ½   ½   2   2  0
 *          0   q/2   -½    -q    1    0         1/6   -q/6    1/3             0  p/2 -p/2 2q -2q 1
 *          0    1     0   -5/2   0    1          0      0      1
 *
 * Each transform acts on columns and then on rows. The lanes are channels. Two rows that differ in the sign of their
 * point share their even part and their odd part.
 *
 * Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
 */
import { put } from '../../gemm/tile-4x8';
import { scratch } from '../../scratch';
import { ROW } from '../winograd/layout';
import { PRODUCT, READ, TILE } from './layout';

/** The points. */
const P: f32 = 0.70710678118654752;
const Q: f32 = 1.4142135623730951;

// @ts-ignore: decorator
@inline
function times(a: f32, x: v128): v128 {
  return f32x4.mul(f32x4.splat(a), x);
}

/** d0 - 5/2·d2 + d4: the row of the points 0 and infinity. */
// @ts-ignore: decorator
@inline
function ends(d0: v128, d2: v128, d4: v128): v128 {
  return f32x4.add(f32x4.sub(d0, times(2.5, d2)), d4);
}

/** d - r²·c, with the square of the other pair's point: the even part of a row, and the odd part without its point. */
// @ts-ignore: decorator
@inline
function without(square: f32, c: v128, d: v128): v128 {
  return f32x4.sub(d, times(square, c));
}

/**
 * Row i of Bᵀ d for the pixels from `to` up to `end`. d1 to d4 are the addresses of four rows of pixels. For the rows 0
 * and 5, d1 to d3 are the three rows that count.
 */
export function combineRows(i: i32, d1: usize, d2: usize, d3: usize, d4: usize, to: usize, end: usize): void {
  if (i == 0 || i == READ - 1) {
    for (; to < end; to += 16, d1 += 16, d2 += 16, d3 += 16) {
      v128.store(to, ends(v128.load(d1), v128.load(d2), v128.load(d3)));
    }
    return;
  }
  const square: f32 = i < 3 ? 2 : 0.5;
  let point: f32 = i < 3 ? P : Q;
  if (!(i & 1)) point = -point;
  for (; to < end; to += 16, d1 += 16, d2 += 16, d3 += 16, d4 += 16) {
    const even = without(square, v128.load(d2), v128.load(d4));
    const odd = without(square, v128.load(d1), v128.load(d3));
    v128.store(to, f32x4.add(even, times(point, odd)));
  }
}

/**
 * Row i of Bᵀ d B for `count` tiles along a row of Bᵀ d. A tile reads six pixels, and the next tile starts four pixels
 * later.
 */
export function inputTiles(count: i32, line: usize, size: usize, out: usize): void {
  for (; count > 0; --count) {
    for (let c: usize = 0; c < size; c += 16) {
      const d = line + c;
      const d1 = v128.load(d + size);
      const d2 = v128.load(d + 2 * size);
      const d3 = v128.load(d + 3 * size);
      const d4 = v128.load(d + 4 * size);
      const v = out + c;
      v128.store(v, ends(v128.load(d), d2, d4));
      v128.store(v, ends(d1, d3, v128.load(d + 5 * size)), 5 * PRODUCT);
      let even = without(2, d2, d4);
      let odd = times(P, without(2, d1, d3));
      v128.store(v, f32x4.add(even, odd), PRODUCT);
      v128.store(v, f32x4.sub(even, odd), 2 * PRODUCT);
      even = without(0.5, d2, d4);
      odd = times(Q, without(0.5, d1, d3));
      v128.store(v, f32x4.add(even, odd), 3 * PRODUCT);
      v128.store(v, f32x4.sub(even, odd), 4 * PRODUCT);
    }
    line += TILE * size;
    out += ROW;
  }
}

/**
 * The results of one tile, from its 36 products at m with `size` bytes of channels each. The tile has `rows` rows and
 * `columns` columns in the map, which are `down` and `right` bytes apart.
 */
export function outputTile(
  m: usize,
  size: usize,
  out: usize,
  rows: i32,
  columns: i32,
  right: usize,
  down: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  for (const end = m + size; m < end; m += 16, out += 16, bias += 16) {
    // Aᵀ M, [4][6], in scratch memory
    for (let j = 0; j < READ; ++j) {
      const at = m + j * PRODUCT;
      const to = scratch + (j << 4);
      const m1 = v128.load(at, 6 * PRODUCT);
      const m2 = v128.load(at, 12 * PRODUCT);
      const m3 = v128.load(at, 18 * PRODUCT);
      const m4 = v128.load(at, 24 * PRODUCT);
      const evenP = f32x4.add(m1, m2);
      const oddP = f32x4.sub(m1, m2);
      const evenQ = f32x4.add(m3, m4);
      const oddQ = f32x4.sub(m3, m4);
      v128.store(to, f32x4.add(v128.load(at), f32x4.add(evenP, evenQ)));
      v128.store(to, f32x4.add(times(P, oddP), times(Q, oddQ)), 96);
      v128.store(to, f32x4.add(times(0.5, evenP), times(2, evenQ)), 192);
      const cubes = f32x4.add(times(P / 2, oddP), times(2 * Q, oddQ));
      v128.store(to, f32x4.add(cubes, v128.load(at, 30 * PRODUCT)), 288);
    }
    for (let y = 0; y < rows; ++y) {
      const at = scratch + <usize>(96 * y);
      const to = out + <usize>y * down;
      const m1 = v128.load(at, 16);
      const m2 = v128.load(at, 32);
      const m3 = v128.load(at, 48);
      const m4 = v128.load(at, 64);
      const evenP = f32x4.add(m1, m2);
      const oddP = f32x4.sub(m1, m2);
      const evenQ = f32x4.add(m3, m4);
      const oddQ = f32x4.sub(m3, m4);
      put(to, f32x4.add(v128.load(at), f32x4.add(evenP, evenQ)), accumulate, bias, activate);
      if (columns < 2) continue;
      put(to + right, f32x4.add(times(P, oddP), times(Q, oddQ)), accumulate, bias, activate);
      if (columns < 3) continue;
      put(to + 2 * right, f32x4.add(times(0.5, evenP), times(2, evenQ)), accumulate, bias, activate);
      if (columns < 4) continue;
      const cubes = f32x4.add(times(P / 2, oddP), times(2 * Q, oddQ));
      put(to + 3 * right, f32x4.add(cubes, v128.load(at, 80)), accumulate, bias, activate);
    }
  }
}

/** G g Gᵀ of four filters at once. Their taps are tapY and tapX bytes apart, and the products `step` bytes. */
export function filterTile(g: usize, tapY: usize, tapX: usize, out: usize, step: usize): void {
  // Column x of G g is stored in the place of column x of the result.
  for (let x = 0; x < 3; ++x, g += tapX) {
    filterColumn(v128.load(g), v128.load(g + tapY), v128.load(g + 2 * tapY), out + <usize>x * step, READ * step);
  }
  for (let i = 0; i < READ; ++i, out += READ * step) {
    filterColumn(v128.load(out), v128.load(out + step), v128.load(out + 2 * step), out, step);
  }
}

/** The six elements of G g, `step` bytes apart. */
// @ts-ignore: decorator
@inline
function filterColumn(g0: v128, g1: v128, g2: v128, out: usize, step: usize): void {
  v128.store(out, g0);
  let even = times(-2 / <f32>3, f32x4.add(g0, times(0.5, g2)));
  let odd = times((-2 / <f32>3) * P, g1);
  v128.store(out + step, f32x4.add(even, odd));
  v128.store(out + 2 * step, f32x4.sub(even, odd));
  even = times(1 / <f32>6, f32x4.add(g0, times(2, g2)));
  odd = times(Q / 6, g1);
  v128.store(out + 3 * step, f32x4.add(even, odd));
  v128.store(out + 4 * step, f32x4.sub(even, odd));
  v128.store(out + 5 * step, g2);
}
