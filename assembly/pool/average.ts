/**
 * Sums and means over windows of pictures [batch, height, width, channels], and their gradient:
 *
 *     y[b,i,j,c]  = f·Σ x[b, i·stride - padding + ky, ..., c]   over the (ky, kx) that lie inside the map
 *     dx[b,i,j,c] = Σ f·dy[b,u,v,c]   over the windows (u, v) that contain the pixel (i, j)
 *
 * f is alpha, or alpha divided by the number of pixels of the window that lie inside. With alpha 1 and windows side by
 * side, the gradient is nearest upsampling, and the sum is the gradient of nearest upsampling.
 *
 * Order of summation: (ky, kx), or (u, v), ascending. Accuracy: (n + 2)·2^-24 of the sum of n magnitudes.
 *
 * The items of the work are rows of the result.
 */
import { FOUR, load, ONE, put } from '../norm/strip';
import { AveragePoolBackwardRecord, AveragePoolRecord } from '../records';
import { begin, end, placesX, placesY } from './windows';

/**
 * f·Σ over a window of `rows` rows, `line` bytes apart, with `bytes` bytes of pixels each, for four channels or one.
 */
// @ts-ignore: decorator
@inline
function sumStrip(
  width: i32,
  x: usize,
  rows: i32,
  line: usize,
  bytes: usize,
  step: usize,
  f: v128,
  y: usize,
  add: bool,
): void {
  let sum = f32x4.splat(0);
  for (let row = 0; row < rows; ++row, x += line) {
    for (let p = x; p < x + bytes; p += step) sum = f32x4.add(sum, load(width, p));
  }
  put(width, y, f32x4.mul(f, sum), add);
}

export function averagePool(from: i32, to: i32, r: AveragePoolRecord): void {
  const h = placesY(r);
  const w = placesX(r);
  const step = (<usize>r.channels) << 2;
  const line = <usize>r.width * step;
  const add = r.accumulate != 0;
  let y = r.out + <usize>from * <usize>w * step;
  for (let i = from; i < to; ++i) {
    const startY = (i % h) * r.strideHeight - r.paddingHeight;
    const y0 = begin(startY);
    const rows = end(startY, r.kernelHeight, r.height) - y0;
    const lines = r.x + <usize>((i / h) * r.height + y0) * line;
    for (let j = 0; j < w; ++j, y += step) {
      const startX = j * r.strideWidth - r.paddingWidth;
      const x0 = begin(startX);
      const columns = end(startX, r.kernelWidth, r.width) - x0;
      const f = f32x4.splat(r.inside ? r.alpha / <f32>(rows * columns) : r.alpha);
      const x = lines + <usize>x0 * step;
      const bytes = <usize>columns * step;
      let o: usize = 0;
      for (; o + 16 <= step; o += 16) sumStrip(FOUR, x + o, rows, line, bytes, step, f, y + o, add);
      for (; o < step; o += 4) sumStrip(ONE, x + o, rows, line, bytes, step, f, y + o, add);
    }
  }
}

/** dx = [dx +] f·dy at one pixel. */
// @ts-ignore: decorator
@inline
function addPixel(dx: usize, dy: usize, step: usize, f: f32, add: bool): void {
  const factor = f32x4.splat(f);
  let o: usize = 0;
  for (; o + 16 <= step; o += 16) put(FOUR, dx + o, f32x4.mul(factor, load(FOUR, dy + o)), add);
  for (; o < step; o += 4) put(ONE, dx + o, f32x4.mul(factor, load(ONE, dy + o)), add);
}

/** The number of pixels in row or column `at` of the windows that lie inside the map. */
// @ts-ignore: decorator
@inline
function inside(at: i32, kernel: i32, stride: i32, padding: i32, size: i32): i32 {
  const start = at * stride - padding;
  return end(start, kernel, size) - begin(start);
}

export function averagePoolBackward(from: i32, to: i32, r: AveragePoolBackwardRecord): void {
  const h = placesY(r);
  const w = placesX(r);
  const step = (<usize>r.channels) << 2;
  const line = <usize>w * step;
  let dx = r.out + <usize>from * <usize>r.width * step;
  for (let i = from; i < to; ++i) {
    // Windows [y0, y1) contain the row, and windows [x0, x1) contain the pixel.
    const row = (i % r.height) + r.paddingHeight;
    const y0 = row < r.kernelHeight ? 0 : (row - r.kernelHeight) / r.strideHeight + 1;
    const y1 = min(h, row / r.strideHeight + 1);
    const lines = r.dy + <usize>(i / r.height) * <usize>h * line;
    let x0 = 0;
    let x1 = 0;
    for (let j = 0; j < r.width; ++j, dx += step) {
      const column = j + r.paddingWidth;
      while (x0 < w && x0 * r.strideWidth + r.kernelWidth <= column) ++x0;
      while (x1 < w && x1 * r.strideWidth <= column) ++x1;
      let add = r.accumulate != 0;
      if (!add && (y0 >= y1 || x0 >= x1)) memory.fill(dx, 0, step);
      for (let u = y0; u < y1; ++u) {
        for (let v = x0; v < x1; ++v) {
          let f = r.alpha;
          if (r.inside) {
            const rows = inside(u, r.kernelHeight, r.strideHeight, r.paddingHeight, r.height);
            f /= <f32>(rows * inside(v, r.kernelWidth, r.strideWidth, r.paddingWidth, r.width));
          }
          addPixel(dx, lines + <usize>u * line + <usize>v * step, step, f, add);
          add = true;
        }
      }
    }
  }
}
