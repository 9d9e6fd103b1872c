/**
 * Maxima over windows of pictures [batch, height, width, channels], and their gradient. Positions outside the map are
 * ignored. A NaN is the largest.
 *
 * In the backward pass dy goes to a pixel of its window that equals the maximum: the first one in the order (ky, kx).
 * This pixel is found again from x and y, which costs less than storing its place. If windows overlap, a pixel adds
 * their dy in ascending order. Apart from this sum, both passes are exact.
 *
 * The items of the work are rows of y. In the backward pass they are pictures, so that no two threads write the same
 * pixel.
 */
import { FOUR, load, ONE, put } from '../norm/strip';
import { MaxPoolBackwardRecord, MaxPoolRecord } from '../records';
import { begin, end, placesX, placesY } from './windows';

/** The maximum of four channels, or of one, over a window of `rows` rows of `bytes` bytes. */
// @ts-ignore: decorator
@inline
function maximumStrip(width: i32, x: usize, rows: i32, line: usize, bytes: usize, step: usize, y: usize): void {
  let most = f32x4.splat(-Infinity);
  for (let row = 0; row < rows; ++row, x += line) {
    for (let p = x; p < x + bytes; p += step) {
      const value = load(width, p);
      // "Not less or equal" means larger, or one of the two is NaN. A NaN in `most` stays.
      const taken = v128.andnot(f32x4.eq(most, most), f32x4.le(value, most));
      most = v128.bitselect(value, most, taken);
    }
  }
  put(width, y, most, false);
}

export function maxPool(from: i32, to: i32, r: MaxPoolRecord): void {
  const h = placesY(r);
  const w = placesX(r);
  const step = (<usize>r.channels) << 2;
  const line = <usize>r.width * step;
  let y = r.out + <usize>from * <usize>w * step;
  for (let i = from; i < to; ++i) {
    const startY = (i % h) * r.strideHeight - r.paddingHeight;
    const y0 = begin(startY);
    const rows = end(startY, r.kernelHeight, r.height) - y0;
    const lines = r.x + <usize>((i / h) * r.height + y0) * line;
    for (let j = 0; j < w; ++j, y += step) {
      const startX = j * r.strideWidth - r.paddingWidth;
      const x0 = begin(startX);
      const x = lines + <usize>x0 * step;
      const bytes = <usize>(end(startX, r.kernelWidth, r.width) - x0) * step;
      let o: usize = 0;
      for (; o + 16 <= step; o += 16) maximumStrip(FOUR, x + o, rows, line, bytes, step, y + o);
      for (; o < step; o += 4) maximumStrip(ONE, x + o, rows, line, bytes, step, y + o);
    }
  }
}

/** dx += dy at the first pixel of a window where x equals y, for four channels or for one. */
// @ts-ignore: decorator
@inline
function gradientStrip(
  width: i32,
  x: usize,
  dx: usize,
  rows: i32,
  line: usize,
  bytes: usize,
  step: usize,
  y: usize,
  dy: usize,
): void {
  const most = load(width, y);
  const gradient = load(width, dy);
  let open = i32x4.splat(-1);
  for (let row = 0; row < rows; ++row, x += line, dx += line) {
    for (let o: usize = 0; o < bytes; o += step) {
      const value = load(width, x + o);
      const reaches = v128.or(f32x4.eq(value, most), f32x4.ne(value, value));
      put(width, dx + o, v128.and(gradient, v128.and(open, reaches)), true);
      open = v128.andnot(open, reaches);
    }
  }
}

export function maxPoolBackward(from: i32, to: i32, r: MaxPoolBackwardRecord): void {
  const h = placesY(r);
  const w = placesX(r);
  const step = (<usize>r.channels) << 2;
  const line = <usize>r.width * step;
  const picture = <usize>r.height * line;
  const places = <usize>(h * w) * step;
  for (let b = <usize>from; b < <usize>to; ++b) {
    let y = r.y + b * places;
    let dy = r.dy + b * places;
    if (!r.accumulate) memory.fill(r.out + b * picture, 0, picture);
    for (let i = 0; i < h; ++i) {
      const startY = i * r.strideHeight - r.paddingHeight;
      const y0 = begin(startY);
      const rows = end(startY, r.kernelHeight, r.height) - y0;
      for (let j = 0; j < w; ++j, y += step, dy += step) {
        const startX = j * r.strideWidth - r.paddingWidth;
        const x0 = begin(startX);
        const bytes = <usize>(end(startX, r.kernelWidth, r.width) - x0) * step;
        const at = b * picture + <usize>y0 * line + <usize>x0 * step;
        const x = r.x + at;
        const dx = r.out + at;
        let o: usize = 0;
        for (; o + 16 <= step; o += 16) gradientStrip(FOUR, x + o, dx + o, rows, line, bytes, step, y + o, dy + o);
        for (; o < step; o += 4) gradientStrip(ONE, x + o, dx + o, rows, line, bytes, step, y + o, dy + o);
      }
    }
  }
}
