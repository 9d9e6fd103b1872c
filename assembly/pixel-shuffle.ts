/**
 * Moves channels to space, and space to channels, in PyTorch's order of channels. With r the factor,
 *
 *     y[b, h·r + ry, w·r + rx, c] = x[b, h, w, c·r² + ry·r + rx]
 *
 * This is an exact copy. A factor of 2 works on four channels at a time: a square of 4 x 4 that is transposed in
 * registers.
 *
 * The items of the work are the batch·height rows of x.
 */
import { putColumns4 } from './elementwise/put';
import { PixelShuffleRecord } from './records';

/** y from x. */
export function pixelShuffle(from: i32, to: i32, r: PixelShuffleRecord): void {
  if (r.factor == 2) halves(true, from, to, r);
  else elements(true, from, to, r);
}

/** x from y. This is the gradient of `pixelShuffle`, and `pixelShuffle` is the gradient of this function. */
export function pixelUnshuffle(from: i32, to: i32, r: PixelShuffleRecord): void {
  if (r.factor == 2) halves(false, from, to, r);
  else elements(false, from, to, r);
}

/** Copies one element, or adds it. */
// @ts-ignore: decorator
@inline
function move(from: usize, to: usize, add: bool): void {
  const value = f32.load(from);
  f32.store(to, add ? f32.load(to) + value : value);
}

/** Any factor. In x the `channels` elements of one pixel of y are r² apart, and in y they are neighbours. */
// @ts-ignore: decorator
@inline
function elements(shuffle: bool, from: i32, to: i32, r: PixelShuffleRecord): void {
  const factor = r.factor;
  const add = r.accumulate != 0;
  const apart = (<usize>(factor * factor)) << 2;
  const pixel = (<usize>r.channels) << 2;
  const line = <usize>(r.width * factor) * pixel;
  // `out` is y in the forward pass, and x in the backward pass.
  let shallow = (shuffle ? r.out : r.x) + <usize>(from * factor) * line;
  let deep = (shuffle ? r.x : r.out) + <usize>(from * r.width) * pixel * <usize>(factor * factor);
  for (let row = from; row < to; ++row, shallow += <usize>factor * line) {
    for (let w = 0; w < r.width; ++w, deep += pixel * <usize>(factor * factor)) {
      for (let k = 0; k < factor * factor; ++k) {
        let d = deep + ((<usize>k) << 2);
        let s = shallow + <usize>(k / factor) * line + <usize>(w * factor + (k % factor)) * pixel;
        for (const end = s + pixel; s < end; s += 4, d += apart) {
          if (shuffle) move(d, s, add);
          else move(s, d, add);
        }
      }
    }
  }
}

/** A factor of 2. */
// @ts-ignore: decorator
@inline
function halves(shuffle: bool, from: i32, to: i32, r: PixelShuffleRecord): void {
  const add = r.accumulate != 0;
  const pixel = (<usize>r.channels) << 2;
  const line = <usize>r.width * 2 * pixel;
  let s = (shuffle ? r.out : r.x) + <usize>from * 2 * line;
  let d = (shuffle ? r.x : r.out) + <usize>from * 2 * line;
  for (let row = from; row < to; ++row, s += line) {
    for (let w = 0; w < r.width; ++w, s += pixel << 1) {
      let o: usize = 0;
      for (; o + 16 <= pixel; o += 16, d += 64) {
        square(shuffle, d, s + o, pixel, line, add);
      }
      for (; o < pixel; o += 4, d += 16) {
        if (shuffle) {
          move(d, s + o, add);
          move(d + 4, s + o + pixel, add);
          move(d + 8, s + o + line, add);
          move(d + 12, s + o + line + pixel, add);
        } else {
          move(s + o, d, add);
          move(s + o + pixel, d + 4, add);
          move(s + o + line, d + 8, add);
          move(s + o + line + pixel, d + 12, add);
        }
      }
    }
  }
}

/** Four channels: sixteen neighbours of x, and four channels at each of four positions of y. */
// @ts-ignore: decorator
@inline
function square(shuffle: bool, x: usize, y: usize, pixel: usize, line: usize, add: bool): void {
  const next = shuffle ? x + 16 : y + pixel;
  const below = shuffle ? x + 32 : y + line;
  const last = shuffle ? x + 48 : y + line + pixel;
  const first = shuffle ? x : y;
  const a = v128.load(first);
  const b = v128.load(next);
  const c = v128.load(below);
  const d = v128.load(last);
  if (shuffle) putColumns4(a, b, c, d, y, y + pixel, y + line, y + line + pixel, add);
  else putColumns4(a, b, c, d, x, x + 16, x + 32, x + 48, add);
}
