/**
 * The gradient of a 3x3 convolution to its weights if x or y is thin, which means at most three channels. A matrix
 * product would leave most of its register tile empty. Let u be the thin map, v the other one, and e = (ey, ex) from 0
 * to 2:
 *
 *     s[e,c] = Σ u[b, i + top + ey, j + left + ex]·v[b,i,j,c]   over (b, i, j)
 *
 * If x is thin, v is dy, e is the tap, and (top, left) is minus the padding. If y is thin, v is x and e = 2 - tap,
 * because x[i] is multiplied by dy[i + padding - tap]; (top, left) is the padding minus 2.
 *
 * The lanes are channels of v, and the nine sums of a picture stay in registers. Order of summation: the positions of a
 * picture ascending, then pictures ascending. It depends only on the shape, because threads share channels and never
 * positions.
 *
 * Accuracy: |error| <= (positions + batch)·2^-24·Σ|u||v|.
 */
import { mulAdd } from '../mul-add';
import { Conv2dWeightGradientRecord } from '../records';
import { scratch } from '../scratch';
import { outSize } from './direct';
import { padPicture } from './thin';

/** Computes the weights of the channels [c0, c1) of the map that is not thin, multiples of four. */
export function conv2dThinWeightGradient(c0: i32, c1: i32, r: Conv2dWeightGradientRecord): void {
  const h = outSize(r.height, 3, 1, r.paddingHeight, 1);
  const w = outSize(r.width, 3, 1, r.paddingWidth, 1);
  const thinY = r.outChannels < r.inChannels;
  const thin = thinY ? r.outChannels : r.inChannels;
  const channels = thinY ? r.inChannels : r.outChannels;
  const top = thinY ? r.paddingHeight - 2 : -r.paddingHeight;
  const left = thinY ? r.paddingWidth - 2 : -r.paddingWidth;
  const rows = thinY ? r.height : h;
  const columns = thinY ? r.width : w;
  const thinRows = thinY ? h : r.height;
  const thinColumns = thinY ? w : r.width;
  const sums = scratch;
  const size = (<usize>(c1 - c0)) << 2;
  const padded = sums + <usize>(9 * thin) * size;
  memory.fill(sums, 0, padded - sums);
  for (let b = 0; b < r.batch; ++b) {
    const u = (thinY ? r.dy : r.x) + ((<usize>(b * thinRows * thinColumns * thin)) << 2);
    const v = (thinY ? r.x : r.dy) + ((<usize>(b * rows * columns * channels + c0)) << 2);
    for (let t = 0; t < thin; ++t) {
      padPicture(u + (t << 2), thinRows, thinColumns, thin, top, left, rows + 2, columns + 2, padded);
      const s = sums + <usize>(9 * t) * size;
      for (let c: usize = 0; c < size; c += 16) {
        addPicture(rows, columns, padded, v + c, (<usize>channels) << 2, s + c, size);
      }
    }
  }
  for (let e = 0; e < 9; ++e) {
    const tap = thinY ? 8 - e : e;
    for (let t = 0; t < thin; ++t) {
      const s = sums + <usize>(9 * t + e) * size;
      for (let c = c0; c < c1; ++c) {
        const at = thinY ? (t * 9 + tap) * channels + c : (c * 9 + tap) * thin + t;
        const value = f32.load(s + ((<usize>(c - c0)) << 2));
        const out = r.out + ((<usize>at) << 2);
        f32.store(out, r.accumulate ? f32.load(out) + value : value);
      }
    }
  }
}

/**
 * Adds a picture to the nine sums of four channels, `step` bytes apart. u is padded, and pixels of v are `pixel` bytes
 * apart.
 */
function addPicture(rows: i32, columns: i32, u: usize, v: usize, pixel: usize, sums: usize, step: usize): void {
  const line = (<usize>(columns + 2)) << 2;
  const next = (<usize>columns) << 2;
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s02 = s00;
  let s10 = s00;
  let s11 = s00;
  let s12 = s00;
  let s20 = s00;
  let s21 = s00;
  let s22 = s00;
  for (let y = 0; y < rows; ++y) {
    let p = u + <usize>y * line;
    let q = p + line;
    let r = q + line;
    for (const end = p + next; p < end; p += 4, q += 4, r += 4, v += pixel) {
      const d = v128.load(v);
      s00 = mulAdd(v128.load32_splat(p), d, s00);
      s01 = mulAdd(v128.load32_splat(p, 4), d, s01);
      s02 = mulAdd(v128.load32_splat(p, 8), d, s02);
      s10 = mulAdd(v128.load32_splat(q), d, s10);
      s11 = mulAdd(v128.load32_splat(q, 4), d, s11);
      s12 = mulAdd(v128.load32_splat(q, 8), d, s12);
      s20 = mulAdd(v128.load32_splat(r), d, s20);
      s21 = mulAdd(v128.load32_splat(r, 4), d, s21);
      s22 = mulAdd(v128.load32_splat(r, 8), d, s22);
    }
  }
  add(sums, s00);
  add(sums + step, s01);
  add(sums + 2 * step, s02);
  add(sums + 3 * step, s10);
  add(sums + 4 * step, s11);
  add(sums + 5 * step, s12);
  add(sums + 6 * step, s20);
  add(sums + 7 * step, s21);
  add(sums + 8 * step, s22);
}

// @ts-ignore: decorator
@inline
function add(sum: usize, value: v128): void {
  v128.store(sum, f32x4.add(v128.load(sum), value));
}
