/**
 * 3x3 convolutions that read or write a thin map, which has at most three channels: the forward pass and the gradient
 * to the input. A matrix product would leave most of its register tile empty. With e = (ey, ex) from 0 to 2,
 *
 *     y[b,i,j,o] = Σ x[b, i + top + ey, j + left + ex, c]·w[e,c,o]   over (e, c)
 *
 * In the forward pass e is the tap, and (top, left) is minus the padding. For the gradient to the input x is dy, taps
 * are rotated by 180 degrees (e = 2 - tap), and (top, left) is the padding minus 2. The lanes are channels of the map
 * that is not thin.
 *
 * Order of summation: if x is thin, each channel of x in turn adds its taps in ascending order. If y is thin, each of
 * four lanes adds every fourth c, with (e, c) ascending. Then lanes 0 and 1 are added, lanes 2 and 3, and these two
 * sums. The order depends only on the shape.
 *
 * Accuracy: |error| <= (k + 2)·2^-24·Σ|x||w| with k = 9·channels.
 */
import { put } from '../gemm/tile-4x8';
import { mulAdd } from '../mul-add';
import { ThinRecord } from '../records';
import { scratch } from '../scratch';
import { storeElement } from '../gemm/gemm';

/** Computes the pictures [from, to). */
export function conv2dThin(from: i32, to: i32, r: ThinRecord): void {
  const weights = scratch;
  const end = weights + ((<usize>(9 * r.channels * r.outChannels)) << 2);
  if (r.channels < r.outChannels) {
    copyWeights(r, r.channels, r.outChannels, weights);
    for (let b = from; b < to; ++b) spreadPicture(r, b, weights, end);
  } else {
    copyWeights(r, r.outChannels, r.channels, weights);
    memory.fill(end, 0, (<usize>r.channels) << 2);
    for (let b = from; b < to; ++b) gatherPicture(r, b, weights, end);
  }
}

/** Weights as [thin][9][channels], from [n,9,k] or from [k,9,n] rotated by 180 degrees. */
function copyWeights(r: ThinRecord, thin: i32, channels: i32, out: usize): void {
  // Whether the channels of the map that is not thin are the last axis.
  const dense = r.channels < r.outChannels == (r.turned != 0);
  for (let t = 0; t < thin; ++t) {
    for (let e = 0; e < 9; ++e) {
      const tap = r.turned ? 8 - e : e;
      for (let c = 0; c < channels; ++c, out += 4) {
        const at = dense ? (t * 9 + tap) * channels + c : (c * 9 + tap) * thin + t;
        f32.store(out, f32.load(r.w + ((<usize>at) << 2)));
      }
    }
  }
}

/**
 * Copies rows and columns of one channel of a picture, starting at (top, left). Pixels are `channels` apart. Positions
 * outside are 0.
 */
export function padPicture(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  top: i32,
  left: i32,
  rows: i32,
  columns: i32,
  out: usize,
): void {
  for (let y = top; y < top + rows; ++y) {
    const line = x + ((<usize>(y * width * channels)) << 2);
    const inside = <u32>y < <u32>height;
    for (let i = left; i < left + columns; ++i, out += 4) {
      f32.store(out, inside && <u32>i < <u32>width ? f32.load(line + ((<usize>(i * channels)) << 2)) : 0);
    }
  }
}

/**
 * Computes a picture of y from a thin picture of x. Each channel of x is padded and multiplied by nine rows of weights.
 */
function spreadPicture(r: ThinRecord, b: i32, weights: usize, padded: usize): void {
  const size = (<usize>r.outChannels) << 2;
  const out = r.out + <usize>(b * r.rows * r.columns) * size;
  const x = r.x + ((<usize>(b * r.height * r.width * r.channels)) << 2);
  for (let t = 0; t < r.channels; ++t) {
    padPicture(x + (t << 2), r.height, r.width, r.channels, r.top, r.left, r.rows + 2, r.columns + 2, padded);
    const last = t == r.channels - 1;
    for (let c: usize = 0; c < size; c += 16) {
      const bias: usize = last && r.bias ? r.bias + c : 0;
      const activate = last ? r.activation : 0;
      spread(r.rows, r.columns, padded, weights + c, size, out + c, t > 0 || r.accumulate != 0, bias, activate);
    }
    weights += 9 * size;
  }
}

/** Four channels of a picture, from one padded channel u and nine rows of weights with a stride of `size` bytes. */
function spread(
  rows: i32,
  columns: i32,
  u: usize,
  w: usize,
  size: usize,
  out: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  const line = (<usize>(columns + 2)) << 2;
  const next = (<usize>columns) << 2;
  const w00 = v128.load(w);
  const w01 = v128.load(w + size);
  const w02 = v128.load(w + 2 * size);
  const w10 = v128.load(w + 3 * size);
  const w11 = v128.load(w + 4 * size);
  const w12 = v128.load(w + 5 * size);
  const w20 = v128.load(w + 6 * size);
  const w21 = v128.load(w + 7 * size);
  const w22 = v128.load(w + 8 * size);
  for (let y = 0; y < rows; ++y) {
    let p = u + <usize>y * line;
    let q = p + line;
    let r = q + line;
    for (const end = p + next; p < end; p += 4, q += 4, r += 4, out += size) {
      let sum = f32x4.mul(v128.load32_splat(p), w00);
      sum = mulAdd(v128.load32_splat(p, 4), w01, sum);
      sum = mulAdd(v128.load32_splat(p, 8), w02, sum);
      sum = mulAdd(v128.load32_splat(q), w10, sum);
      sum = mulAdd(v128.load32_splat(q, 4), w11, sum);
      sum = mulAdd(v128.load32_splat(q, 8), w12, sum);
      sum = mulAdd(v128.load32_splat(r), w20, sum);
      sum = mulAdd(v128.load32_splat(r, 4), w21, sum);
      sum = mulAdd(v128.load32_splat(r, 8), w22, sum);
      put(out, sum, accumulate, bias, activate);
    }
  }
}

/** Computes a thin picture of y, four positions of a row at a time. */
function gatherPicture(r: ThinRecord, b: i32, weights: usize, zeros: usize): void {
  const size = (<usize>r.channels) << 2;
  const edge = zeros + size;
  const x = r.x + <usize>(b * r.height * r.width) * size;
  const step = (<usize>r.outChannels) << 2;
  let out = r.out + <usize>(b * r.rows * r.columns) * step;
  for (let y = 0; y < r.rows; ++y) {
    for (let i = 0; i < r.columns; i += 4) {
      const valid = min(4, r.columns - i);
      for (let o = 0; o < r.outChannels; ++o) {
        gather(r, x, y + r.top, i + r.left, weights + <usize>(9 * o) * size, size, zeros, edge);
        const bias: usize = r.bias ? r.bias + (o << 2) : 0;
        for (let j = 0; j < valid; ++j) {
          const at = out + j * step + (o << 2);
          storeElement(at, f32.load(edge + (j << 2)), r.accumulate != 0, bias, r.activation);
        }
      }
      out += valid * step;
    }
  }
}

/** The address of a pixel, or of zeros if it is outside. */
// @ts-ignore: decorator
@inline
function pixelOr(line: usize, x: i32, width: i32, size: usize, zeros: usize): usize {
  return <u32>x < <u32>width ? line + <usize>x * size : zeros;
}

/** Four neighbours of one channel, from the pixels that start at (y, x). Stores them at `out`. */
function gather(r: ThinRecord, x: usize, y: i32, left: i32, w: usize, size: usize, zeros: usize, out: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let ey = y; ey < y + 3; ++ey) {
    if (<u32>ey >= <u32>r.height) {
      w += 3 * size;
      continue;
    }
    const line = x + <usize>(ey * r.width) * size;
    for (let ex = left; ex < left + 3; ++ex) {
      let p0 = pixelOr(line, ex, r.width, size, zeros);
      let p1 = pixelOr(line, ex + 1, r.width, size, zeros);
      let p2 = pixelOr(line, ex + 2, r.width, size, zeros);
      let p3 = pixelOr(line, ex + 3, r.width, size, zeros);
      for (const end = w + size; w < end; w += 16) {
        const v = v128.load(w);
        s0 = mulAdd(v128.load(p0), v, s0);
        s1 = mulAdd(v128.load(p1), v, s1);
        s2 = mulAdd(v128.load(p2), v, s2);
        s3 = mulAdd(v128.load(p3), v, s3);
        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
      }
    }
  }
  // We add lanes 0 and 1, and lanes 2 and 3, of two sums at once. Then we add the results.
  const a = pairs(s0, s1);
  const b = pairs(s2, s3);
  v128.store(out, pairs(a, b));
}

/** a0 + a1, a2 + a3, b0 + b1, b2 + b3 */
// @ts-ignore: decorator
@inline
function pairs(a: v128, b: v128): v128 {
  return f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
}
