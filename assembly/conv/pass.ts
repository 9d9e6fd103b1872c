/**
 * A convolution as a matrix product, out[row, n] = Σ A[row, k]·B[k, n], whose A is read from pictures in place.
 *
 * A row is a place (b, y, x) of a grid, and k runs over (ty, tx, c): taps, and the channels of a tap. With
 * X[batch, height, width, channels],
 *
 *     A[(b,y,x), (ty,tx,c)] = X[b, y·strideY + offsetY + ty·stepY, x·strideX + offsetX + tx·stepX, c],   0 outside of X
 *
 * The forward pass reads x with the convolution's stride, minus its padding, and its dilation. The gradient to the input
 * reads dy: places with equal remainders by the stride are a grid of their own, with the taps that reach it.
 */
import { MR } from '../gemm/blocks';

/** Where A, B and the result of one product lie, in the numbers of the formula above. Strides of memory are in bytes. */
@unmanaged
export class Pass {
  x: usize;
  height: i32;
  width: i32;
  /** Bytes from one pixel of X to the next. */
  pixel: usize;
  channels: i32;
  tapsY: i32;
  tapsX: i32;
  gridY: i32;
  gridX: i32;
  strideY: i32;
  strideX: i32;
  offsetY: i32;
  offsetX: i32;
  stepY: i32;
  stepX: i32;
  /** Address of the weight of the first tap, channel 0 and column 0. */
  w: usize;
  /** Bytes of the weights from one tap to the next along y and x, from one channel c, and from one column n. */
  wTapY: usize;
  wTapX: usize;
  wChannel: usize;
  wColumn: usize;
  /** Address of column 0 at place (0, 0, 0); bytes from one picture, one y, and one x of the grid to the next. */
  out: usize;
  outPicture: usize;
  outY: usize;
  outX: usize;
}

/** What is known of a row of a panel: its picture, its place in X at tap (0, 0), and where its result goes. */
@unmanaged
export class Row {
  x: usize;
  y0: i32;
  x0: i32;
  out: usize;
}

/** Bytes of a pass, a block of zeros, and the rows of a panel. */
const PASS_BYTES: i32 = 128;
const ZERO_BYTES: i32 = 16;
export const ROW_BYTES: i32 = 16;
export const CONV_BYTES: i32 = PASS_BYTES + ZERO_BYTES + MR * ROW_BYTES;

/** Sixteen bytes of zeros behind a pass: what lies outside of a picture. */
// @ts-ignore: decorator
@inline
export function zerosOf(pass: Pass): usize {
  return changetype<usize>(pass) + PASS_BYTES;
}

/** Row i of the panel at hand. */
// @ts-ignore: decorator
@inline
export function rowOf(pass: Pass, i: i32): Row {
  return changetype<Row>(changetype<usize>(pass) + PASS_BYTES + ZERO_BYTES + i * ROW_BYTES);
}

/** Notes rows [first, first + count) of the grid as those of the panel at hand; others have no picture. */
export function placeRows(pass: Pass, first: i32, count: i32): void {
  let x = first % pass.gridX;
  let y = (first / pass.gridX) % pass.gridY;
  let b = first / (pass.gridX * pass.gridY);
  const picture = <usize>(pass.height * pass.width) * pass.pixel;
  for (let i = 0; i < MR; ++i) {
    const row = rowOf(pass, i);
    // A place below every picture: all its taps are outside.
    row.y0 = i < count ? y * pass.strideY + pass.offsetY : i32.MIN_VALUE >> 1;
    row.x0 = x * pass.strideX + pass.offsetX;
    row.x = pass.x + <usize>b * picture;
    row.out = pass.out + <usize>b * pass.outPicture + <usize>y * pass.outY + <usize>x * pass.outX;
    if (++x == pass.gridX) {
      x = 0;
      if (++y == pass.gridY) {
        y = 0;
        ++b;
      }
    }
  }
}

/** Address of channel 0 at (y, x) of a row's picture, or 0 outside of it. */
// @ts-ignore: decorator
@inline
export function pixelAt(pass: Pass, row: Row, y: i32, x: i32): usize {
  const atY = row.y0 + y;
  const atX = row.x0 + x;
  if (<u32>atY >= <u32>pass.height || <u32>atX >= <u32>pass.width) return 0;
  return row.x + <usize>(atY * pass.width + atX) * pass.pixel;
}
