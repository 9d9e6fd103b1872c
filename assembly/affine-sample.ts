/**
 * Samples pictures through affine maps, with bilinear interpolation and zeros outside:
 *
 *     y[b,i,j,c] = Σ w·x[b,v,u,c]   over the pixels (v, u) around (m3·j + m4·i + m5, m0·j + m1·i + m2)
 *
 * over [batch,height,width,channels], with the six numbers m of picture b. A pixel is a point. Its weight is (1 -
 * |horizontal distance|)·(1 - |vertical distance|). In the backward pass dy is divided between the same pixels with the
 * same weights.
 *
 * A pixel of weight 0 is not read. So a shift by whole pixels is an exact copy. Coordinates are rounded to float32: a
 * coordinate of magnitude p may have an error of 2^-23·p pixels. One thread computes a picture, and its gradient is
 * summed in the order of y. Left out on purpose: SIMD, because such pictures have one to four channels.
 *
 * Source: Jaderberg et al. (2015), "Spatial transformer networks", eqs. 1 and 5.
 */
import { AffineSampleBackwardRecord, AffineSampleRecord } from './records';

/** The items of the work are pictures. */
export function affineSample(from: i32, to: i32, r: AffineSampleRecord): void {
  sample(from, to, r.height, r.width, r.channels, r.matrix, r.x, r.out, false);
}

/** out += the derivative to x. The items of the work are pictures. */
export function affineSampleBackward(from: i32, to: i32, r: AffineSampleBackwardRecord): void {
  sample(from, to, r.height, r.width, r.channels, r.matrix, r.out, r.dy, true);
}

/** y = the weighted pixels of x, or in the backward pass x += y with the same weights. */
// @ts-ignore: decorator
@inline
function sample(
  from: i32,
  to: i32,
  height: i32,
  width: i32,
  channels: i32,
  matrix: usize,
  x: usize,
  y: usize,
  backward: bool,
): void {
  const pixel = channels << 2;
  const line = width * pixel;
  const picture = <usize>(height * line);
  x += <usize>from * picture;
  y += <usize>from * picture;
  matrix += <usize>(24 * from);
  for (let b = from; b < to; ++b, x += picture, matrix += 24) {
    const m0 = f32.load(matrix);
    const m3 = f32.load(matrix, 12);
    for (let i = 0; i < height; ++i) {
      const u0 = f32.load(matrix, 4) * <f32>i + f32.load(matrix, 8);
      const v0 = f32.load(matrix, 16) * <f32>i + f32.load(matrix, 20);
      for (let j = 0; j < width; ++j, y += pixel) {
        const u = m0 * <f32>j + u0;
        const v = m3 * <f32>j + v0;
        // In this form the condition is false for NaN.
        if (!(u > -1 && u < <f32>width && v > -1 && v < <f32>height)) {
          if (!backward) for (let c = 0; c < pixel; c += 4) f32.store(y + c, 0);
          continue;
        }
        const column = floor(u);
        const row = floor(v);
        const right = u - column;
        const down = v - row;
        const w0: f32 = column >= 0 ? 1 - right : 0;
        const w1: f32 = column + 1 < <f32>width ? right : 0;
        const h0: f32 = row >= 0 ? 1 - down : 0;
        const h1: f32 = row + 1 < <f32>height ? down : 0;
        const w00 = h0 * w0;
        const w01 = h0 * w1;
        const w10 = h1 * w0;
        const w11 = h1 * w1;
        let at = x + (<i32>row * line + <i32>column * pixel);
        for (let c = 0; c < pixel; c += 4, at += 4) {
          if (backward) {
            const d = f32.load(y + c);
            if (w00 != 0) add(at, w00 * d);
            if (w01 != 0) add(at + pixel, w01 * d);
            if (w10 != 0) add(at + line, w10 * d);
            if (w11 != 0) add(at + line + pixel, w11 * d);
          } else {
            let sum: f32 = 0;
            if (w00 != 0) sum += w00 * f32.load(at);
            if (w01 != 0) sum += w01 * f32.load(at + pixel);
            if (w10 != 0) sum += w10 * f32.load(at + line);
            if (w11 != 0) sum += w11 * f32.load(at + line + pixel);
            f32.store(y + c, sum);
          }
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function add(at: usize, value: f32): void {
  f32.store(at, f32.load(at) + value);
}
