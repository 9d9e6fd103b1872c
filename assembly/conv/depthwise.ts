/**
 * Depthwise convolutions: as many groups as channels, on both sides. Each channel is computed alone.
 *
 *     y[b,i,j,c]  = Σ x[b, i·stride - padding + ky·dilation, ..., c]·w[ky,kx,c]
 *     dx[b,i,j,c] = Σ dy[b, (i + padding - ky·dilation)/stride, ..., c]·w[ky,kx,c]   over the taps that reach (i, j)
 *     dw[ky,kx,c] = Σ dy[b,i,j,c]·x[b, i·stride - padding + ky·dilation, ..., c]   over (b, i, j)
 *
 * As a matrix product it would have one column. So the lanes are channels, and the weights are transposed to
 * [kh,kw,channels]. For each position the kernel first lists the taps inside the map. Then it adds them for sixteen
 * channels at a time.
 *
 * Order of summation: (ky, kx) ascending. The gradient to w adds a row of positions in float32, and rows and pictures
 * in float64, all ascending. Accuracy: (taps + 2)·2^-24 of the sum of magnitudes; for w (width + 2)·2^-24.
 *
 * The items of the work are rows of the result; for w they are strips of sixteen channels.
 */
import { storeElement, storeFour } from '../gemm/gemm';
import { mulAdd } from '../mul-add';
import { addTotals, FOUR, load, ONE, WIDE } from '../norm/strip';
import { DepthwiseRecord, DepthwiseWeightGradientRecord } from '../records';
import { workspaceOf } from '../scratch';
import { outSize } from './direct';

/** Bytes of an entry in the list of taps: the addresses of a pixel and of its weights. */
const TAP_BYTES: usize = 8;

/** y, the rows [from, to). */
export function depthwise(from: i32, to: i32, r: DepthwiseRecord): void {
  rows(false, from, to, r);
}

/** dx, the rows [from, to). The field `x` of the record is dy. */
export function depthwiseInputGradient(from: i32, to: i32, r: DepthwiseRecord): void {
  rows(true, from, to, r);
}

/** The row or column that a tap reads, or -1 if there is none. */
// @ts-ignore: decorator
@inline
function source(back: bool, at: i32, stride: i32, padding: i32, shift: i32, size: i32): i32 {
  let place = back ? at + padding - shift : at * stride - padding + shift;
  if (back && stride > 1) {
    if (place % stride != 0) return -1;
    place /= stride;
  }
  return <u32>place < <u32>size ? place : -1;
}

// @ts-ignore: decorator
@inline
function rows(back: bool, from: i32, to: i32, r: DepthwiseRecord): void {
  const h = outSize(r.height, r.kernelHeight, r.strideHeight, r.paddingHeight, r.dilationHeight);
  const w = outSize(r.width, r.kernelWidth, r.strideWidth, r.paddingWidth, r.dilationWidth);
  // The sizes of the map that is read, and of the result.
  const height = back ? h : r.height;
  const width = back ? w : r.width;
  const outHeight = back ? r.height : h;
  const outWidth = back ? r.width : w;
  const step = (<usize>r.inChannels) << 2;
  const list = workspaceOf(r.workspace, r.workspaceBytes);
  // Columns [first, last) reach all taps of a row. Their lists are equal, shifted by one pixel for each column.
  const reach = (r.kernelWidth - 1) * r.dilationWidth;
  const stride = back ? 1 : r.strideWidth;
  const first = back ? reach - r.paddingWidth : (r.paddingWidth + stride - 1) / stride;
  const inner = back ? width - r.paddingWidth : (width + r.paddingWidth - reach + stride - 1) / stride;
  const last = back && r.strideWidth > 1 ? 0 : inner;
  const next = <usize>stride * step;
  let out = r.out + <usize>from * <usize>outWidth * step;
  for (let row = from; row < to; ++row) {
    const picture = r.x + <usize>(row / outHeight) * <usize>(height * width) * step;
    let end = list;
    let shift: usize = 0;
    for (let j = 0; j < outWidth; ++j, out += step) {
      shift += next;
      if (j == 0 || j <= first || j >= last) {
        end = noteTaps(back, row % outHeight, j, height, width, picture, list, r);
        shift = 0;
      }
      let o: usize = 0;
      for (; o + 64 <= step; o += 64) strip(WIDE, list, end, shift, o, out, r);
      for (; o + 16 <= step; o += 16) strip(FOUR, list, end, shift, o, out, r);
      for (; o < step; o += 4) strip(ONE, list, end, shift, o, out, r);
    }
  }
}

/** Lists the taps of position (i, j) that lie inside the map. Returns the end of the list. */
// @ts-ignore: decorator
@inline
function noteTaps(
  back: bool,
  i: i32,
  j: i32,
  height: i32,
  width: i32,
  picture: usize,
  list: usize,
  r: DepthwiseRecord,
): usize {
  const step = (<usize>r.inChannels) << 2;
  let end = list;
  for (let ky = 0; ky < r.kernelHeight; ++ky) {
    const y = source(back, i, r.strideHeight, r.paddingHeight, ky * r.dilationHeight, height);
    if (y < 0) continue;
    for (let kx = 0; kx < r.kernelWidth; ++kx) {
      const x = source(back, j, r.strideWidth, r.paddingWidth, kx * r.dilationWidth, width);
      if (x < 0) continue;
      i32.store(end, <i32>(picture + <usize>(y * width + x) * step));
      i32.store(end, <i32>(r.w + <usize>(ky * r.kernelWidth + kx) * step), 4);
      end += TAP_BYTES;
    }
  }
  return end;
}

/**
 * The channels of one strip at one position, from its list of taps. `shift` bytes are added to the listed addresses of
 * pixels.
 */
// @ts-ignore: decorator
@inline
function strip(width: i32, list: usize, end: usize, shift: usize, o: usize, out: usize, r: DepthwiseRecord): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let tap = list; tap < end; tap += TAP_BYTES) {
    const x = <usize>i32.load(tap) + shift + o;
    const w = <usize>i32.load(tap, 4) + o;
    s0 = mulAdd(load(width, x), load(width, w), s0);
    if (width == WIDE) {
      s1 = mulAdd(v128.load(x, 16), v128.load(w, 16), s1);
      s2 = mulAdd(v128.load(x, 32), v128.load(w, 32), s2);
      s3 = mulAdd(v128.load(x, 48), v128.load(w, 48), s3);
    }
  }
  const at = out + o;
  const bias: usize = r.bias ? r.bias + o : 0;
  const add = r.accumulate != 0;
  if (width == ONE) {
    storeElement(at, f32x4.extract_lane(s0, 0), add, bias, r.activation);
    return;
  }
  storeFour(at, s0, add, bias, r.activation);
  if (width == WIDE) {
    storeFour(at + 16, s1, add, bias ? bias + 16 : 0, r.activation);
    storeFour(at + 32, s2, add, bias ? bias + 32 : 0, r.activation);
    storeFour(at + 48, s3, add, bias ? bias + 48 : 0, r.activation);
  }
}

/** dw[kh,kw,channels], of the strips [from, to) of sixteen channels. */
export function depthwiseWeightGradient(from: i32, to: i32, r: DepthwiseWeightGradientRecord): void {
  const totals = workspaceOf(r.workspace, r.workspaceBytes);
  const last = min(to * WIDE, r.inChannels);
  let c = from * WIDE;
  for (; c + WIDE <= last; c += WIDE) weights(WIDE, c, totals, r);
  for (; c + FOUR <= last; c += FOUR) weights(FOUR, c, totals, r);
  for (; c < last; ++c) weights(ONE, c, totals, r);
}

/** All taps of the channels of one strip. */
// @ts-ignore: decorator
@inline
function weights(width: i32, c: i32, totals: usize, r: DepthwiseWeightGradientRecord): void {
  const taps = r.kernelHeight * r.kernelWidth;
  memory.fill(totals, 0, (<usize>(taps * width)) << 3);
  for (let b = 0; b < r.batch; ++b) {
    for (let tap = 0; tap < taps; ++tap) {
      addTap(width, b, tap / r.kernelWidth, tap % r.kernelWidth, c, totals + ((<usize>(tap * width)) << 3), r);
    }
  }
  for (let tap = 0; tap < taps; ++tap) {
    const out = r.out + ((<usize>(tap * r.inChannels + c)) << 2);
    for (let i = 0; i < width; ++i) {
      f32.store(out + ((<usize>i) << 2), <f32>f64.load(totals + ((<usize>(tap * width + i)) << 3)));
    }
  }
}

/** totals += Σ dy·x over the positions of one picture, for one tap. */
// @ts-ignore: decorator
@inline
function addTap(width: i32, b: i32, ky: i32, kx: i32, c: i32, totals: usize, r: DepthwiseWeightGradientRecord): void {
  const h = outSize(r.height, r.kernelHeight, r.strideHeight, r.paddingHeight, r.dilationHeight);
  const w = outSize(r.width, r.kernelWidth, r.strideWidth, r.paddingWidth, r.dilationWidth);
  const step = (<usize>r.inChannels) << 2;
  // Columns [j0, j1) of y read pixels inside the map.
  const shift = kx * r.dilationWidth - r.paddingWidth;
  const j0 = shift < 0 ? (r.strideWidth - 1 - shift) / r.strideWidth : 0;
  const j1 = shift < r.width ? min(w, (r.width - 1 - shift) / r.strideWidth + 1) : 0;
  const next = <usize>r.strideWidth * step;
  for (let i = 0; i < h; ++i) {
    const y = i * r.strideHeight - r.paddingHeight + ky * r.dilationHeight;
    if (<u32>y >= <u32>r.height || j0 >= j1) continue;
    let x = r.x + <usize>((b * r.height + y) * r.width + j0 * r.strideWidth + shift) * step + ((<usize>c) << 2);
    let dy = r.dy + <usize>((b * h + i) * w + j0) * step + ((<usize>c) << 2);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (const end = dy + <usize>(j1 - j0) * step; dy < end; dy += step, x += next) {
      s0 = mulAdd(load(width, x), load(width, dy), s0);
      if (width == WIDE) {
        s1 = mulAdd(v128.load(x, 16), v128.load(dy, 16), s1);
        s2 = mulAdd(v128.load(x, 32), v128.load(dy, 32), s2);
        s3 = mulAdd(v128.load(x, 48), v128.load(dy, 48), s3);
      }
    }
    addTotals(width, totals, s0);
    if (width == WIDE) {
      addTotals(width, totals + 32, s1);
      addTotals(width, totals + 64, s2);
      addTotals(width, totals + 96, s3);
    }
  }
}
