/**
 * The transforms of Winograd's F(2x2, 3x3). A tile of 2x2 results of a 3x3 filter g over 4x4 pixels d is
 *
 *     Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A,      16 products in place of 36
 *
 *          1  0 -1  0          1   0   0
 *     Bᵀ = 0  1  1  0     G =  ½   ½   ½      Aᵀ = 1  1  1  0
 *          0 -1  1  0          ½  -½   ½           0  1 -1 -1
 *          0  1  0 -1          0   0   1
 *
 * The gradient to the filter is Gᵀ [(A dY Aᵀ) ⊙ (Bᵀ d B)] G. Each transform acts on columns and then on rows. The lanes
 * are channels. `combineLines` computes row i of Bᵀ d for a whole row of pixels. The tiles along that row follow from
 * it.
 *
 * Source: Winograd, "Arithmetic Complexity of Computations" (1980); Lavin and Gray, "Fast Algorithms for Convolutional
 * Neural Networks" (2016).
 */
import { put } from '../../gemm/tile-4x8';
import { PRODUCT, ROW } from './layout';

/** The address of row y of a picture, or 0 outside it. */
// @ts-ignore: decorator
@inline
export function lineAt(x: usize, picture: i32, y: i32, height: i32, width: i32, pixel: usize): usize {
  return <u32>y < <u32>height ? x + <usize>((picture * height + y) * width) * pixel : 0;
}

/**
 * line[i] = a[left + i] ± b[left + i] for `count` pixels of two rows. The result is dense, with `size` bytes of
 * channels for each pixel, and 0 outside the picture. Pixels of the picture are `pixel` bytes apart. The address 0
 * means a row of zeros.
 */
export function combineLines(
  subtract: bool,
  a: usize,
  b: usize,
  left: i32,
  count: i32,
  width: i32,
  pixel: usize,
  size: usize,
  line: usize,
): void {
  const from = min(max(left, 0), left + count);
  const to = max(min(left + count, width), from);
  const begin = line + <usize>(from - left) * size;
  const end = begin + <usize>(to - from) * size;
  const start = <usize>from * pixel;
  const p: usize = a ? a + start : 0;
  const q: usize = b ? b + start : 0;
  combine(subtract, 0, 0, line, begin);
  if (pixel == size) {
    combine(subtract, p, q, begin, end);
  } else {
    let o: usize = 0;
    for (let at = begin; at < end; at += size, o += pixel) {
      combine(subtract, p ? p + o : 0, q ? q + o : 0, at, at + size);
    }
  }
  combine(subtract, 0, 0, end, line + <usize>count * size);
}

/** a ± b from `to` up to `end`. An address of 0 means zeros. */
function combine(subtract: bool, a: usize, b: usize, to: usize, end: usize): void {
  const zero = f32x4.splat(0);
  if (a && b) {
    if (subtract) {
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f32x4.sub(v128.load(a), v128.load(b)));
    } else {
      for (; to < end; to += 16, a += 16, b += 16) v128.store(to, f32x4.add(v128.load(a), v128.load(b)));
    }
  } else if (a || (b && !subtract)) {
    for (a += b; to < end; to += 16, a += 16) v128.store(to, v128.load(a));
  } else if (b) {
    for (; to < end; to += 16, b += 16) v128.store(to, f32x4.neg(v128.load(b)));
  } else {
    for (; to < end; to += 16) v128.store(to, zero);
  }
}

/**
 * Row i of Bᵀ d B for `count` tiles along a row of Bᵀ d. A tile reads four pixels, and the next tile starts two pixels
 * later.
 */
export function inputTiles(count: i32, line: usize, size: usize, out: usize): void {
  for (; count > 0; --count) {
    for (let c: usize = 0; c < size; c += 16) {
      const p = line + c;
      const d0 = v128.load(p);
      const d1 = v128.load(p + size);
      const d2 = v128.load(p + 2 * size);
      const d3 = v128.load(p + 3 * size);
      const v = out + c;
      v128.store(v, f32x4.sub(d0, d2));
      v128.store(v, f32x4.add(d1, d2), PRODUCT);
      v128.store(v, f32x4.sub(d2, d1), 2 * PRODUCT);
      v128.store(v, f32x4.sub(d1, d3), 3 * PRODUCT);
    }
    line += 2 * size;
    out += ROW;
  }
}

/**
 * Row i of A dY Aᵀ for `count` tiles along a row of A dY. A tile reads two pixels. The last column would be -y1. We
 * store y1, and `weightColumn` changes the sign.
 */
export function gradientTiles(count: i32, line: usize, size: usize, out: usize): void {
  for (; count > 0; --count) {
    for (let c: usize = 0; c < size; c += 16) {
      const p = line + c;
      const y0 = v128.load(p);
      const y1 = v128.load(p + size);
      const d = out + c;
      v128.store(d, y0);
      v128.store(d, f32x4.add(y0, y1), PRODUCT);
      v128.store(d, f32x4.sub(y0, y1), 2 * PRODUCT);
      v128.store(d, y1, 3 * PRODUCT);
    }
    line += 2 * size;
    out += ROW;
  }
}

/** m0 + m1 + m2: the first row of Aᵀ. */
// @ts-ignore: decorator
@inline
function first(m0: v128, m1: v128, m2: v128): v128 {
  return f32x4.add(f32x4.add(m0, m1), m2);
}

/** m1 - m2 - m3: the second row of Aᵀ. */
// @ts-ignore: decorator
@inline
function second(m1: v128, m2: v128, m3: v128): v128 {
  return f32x4.sub(f32x4.sub(m1, m2), m3);
}

/**
 * The 2x2 results of one tile, from its sixteen products at m with `size` bytes of channels each. `right` and `down`
 * are the bytes to the next column and row of the result. They are 0 if the map ends before it.
 */
export function outputTile(
  m: usize,
  size: usize,
  out: usize,
  right: usize,
  down: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  if (accumulate || activate) results(false, m, size, out, right, down, accumulate, bias, activate);
  else results(true, m, size, out, right, down, false, bias, 0);
}

// @ts-ignore: decorator
@inline
function results(
  plain: bool,
  m: usize,
  size: usize,
  out: usize,
  right: usize,
  down: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  for (const end = m + size; m < end; m += 16, out += 16, bias += 16) {
    let m1 = v128.load(m, 4 * PRODUCT);
    let m2 = v128.load(m, 8 * PRODUCT);
    const u0 = first(v128.load(m), m1, m2);
    const v0 = second(m1, m2, v128.load(m, 12 * PRODUCT));
    m1 = v128.load(m, 5 * PRODUCT);
    m2 = v128.load(m, 9 * PRODUCT);
    const u1 = first(v128.load(m, PRODUCT), m1, m2);
    const v1 = second(m1, m2, v128.load(m, 13 * PRODUCT));
    m1 = v128.load(m, 6 * PRODUCT);
    m2 = v128.load(m, 10 * PRODUCT);
    const u2 = first(v128.load(m, 2 * PRODUCT), m1, m2);
    const v2 = second(m1, m2, v128.load(m, 14 * PRODUCT));
    store(plain, out, first(u0, u1, u2), accumulate, bias, activate);
    if (down) store(plain, out + down, first(v0, v1, v2), accumulate, bias, activate);
    if (!right) continue;
    m1 = v128.load(m, 7 * PRODUCT);
    m2 = v128.load(m, 11 * PRODUCT);
    const u3 = first(v128.load(m, 3 * PRODUCT), m1, m2);
    const v3 = second(m1, m2, v128.load(m, 15 * PRODUCT));
    store(plain, out + right, second(u1, u2, u3), accumulate, bias, activate);
    if (down) store(plain, out + right + down, second(v1, v2, v3), accumulate, bias, activate);
  }
}

/** Stores four results. `plain` results have no accumulation and no activation. */
// @ts-ignore: decorator
@inline
function store(plain: bool, out: usize, x: v128, accumulate: bool, bias: usize, activate: i32): void {
  if (plain) v128.store(out, f32x4.add(x, v128.load(bias)));
  else put(out, x, accumulate, bias, activate);
}

/** G g Gᵀ of four filters at once. Their taps are tapY and tapX bytes apart, and the products `step` bytes. */
export function filterTile(g: usize, tapY: usize, tapX: usize, out: usize, step: usize): void {
  for (let x = 0; x < 3; ++x, g += tapX) {
    // Column x of G g is stored in the place of column x of the result. The last column is stored in the last place.
    const g0 = v128.load(g);
    const g1 = v128.load(g + tapY);
    const g2 = v128.load(g + 2 * tapY);
    const to = out + <usize>(x == 2 ? 3 : x) * step;
    const s = f32x4.add(g0, g2);
    v128.store(to, g0);
    v128.store(to + 4 * step, half(f32x4.add(s, g1)));
    v128.store(to + 8 * step, half(f32x4.sub(s, g1)));
    v128.store(to + 12 * step, g2);
  }
  for (let i = 0; i < 4; ++i, out += 4 * step) {
    const s = f32x4.add(v128.load(out), v128.load(out + 3 * step));
    const h1 = v128.load(out + step);
    v128.store(out + step, half(f32x4.add(s, h1)));
    v128.store(out + 2 * step, half(f32x4.sub(s, h1)));
  }
}

// @ts-ignore: decorator
@inline
export function half(x: v128): v128 {
  return f32x4.mul(x, f32x4.splat(0.5));
}
