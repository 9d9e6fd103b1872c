/**
 * A convolution as a matrix product, out[row, n] = Σ A[row, k]·B[k, n], where A is read directly from pictures.
 *
 * A row is a position (b, y, x) of a grid. k runs over (ty, tx, c): the taps, and the channels of a tap. With X[batch,
 * height, width, channels],
 *
 *     A[(b,y,x), (ty,tx,c)] = X[b, y·strideY + offsetY + ty·stepY, x·strideX + offsetX + tx·stepX, c],   0 outside X
 *
 * The forward pass reads x. `stride` and `step` are the convolution's stride and dilation, and the offset is minus its
 * padding. The gradient to the input reads dy. Positions with equal remainders by the stride form a grid of their own,
 * with the taps that reach them.
 */
import { MR } from '../gemm/blocks';

/**
 * The places of A, B and the result of one product, in the numbers of the formula above. Strides of memory are in
 * bytes.
 */
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
  /** The address of the weight of the first tap, channel 0 and column 0. */
  w: usize;
  /** Distances of weights in bytes: between taps along y and x, between channels c, and between columns n. */
  wTapY: usize;
  wTapX: usize;
  wChannel: usize;
  wColumn: usize;
  /**
   * The address of column 0 at position (0, 0, 0), and distances in bytes: between pictures, and along y and x of the
   * grid.
   */
  out: usize;
  outPicture: usize;
  outY: usize;
  outX: usize;
}

/** A row of a panel: its picture, its position in X at tap (0, 0), and the address of its result. */
@unmanaged
export class Row {
  x: usize;
  y0: i32;
  x0: i32;
  out: usize;
}

/** Packed lines of four pictures (pictures.ts). They have the pixels [top, bottom] x [left, right] of X. */
@unmanaged
export class Lines {
  at: usize;
  /** Bytes of a line. */
  size: i32;
  top: i32;
  bottom: i32;
  left: i32;
  right: i32;
  /** Whether lines go from right to left. */
  backward: bool;
}

/** One block of the product: its steps [p0, p0 + kc), its columns, and what is done with the sums. */
@unmanaged
export class Block {
  p0: i32;
  kc: i32;
  /** The number of columns, and bytes from column 0 of a result to the first of them. */
  columns: i32;
  column: usize;
  accumulate: bool;
  bias: usize;
  activation: i32;
}

/** Bytes of a pass, of zeros, of lines, of a block, and of the rows of a panel. */
const PASS_BYTES: i32 = 128;
const ZERO_BYTES: i32 = 16;
const LINES_BYTES: i32 = 32;
const BLOCK_BYTES: i32 = 32;
export const ROW_BYTES: i32 = 16;
export const CONV_BYTES: i32 = PASS_BYTES + ZERO_BYTES + LINES_BYTES + BLOCK_BYTES + MR * ROW_BYTES;

/** Moves a pass on by that many pictures. */
export function move(pass: Pass, pictures: i32): void {
  pass.x += <usize>(pictures * pass.height * pass.width) * pass.pixel;
  pass.out += <usize>pictures * pass.outPicture;
}

/** Sixteen bytes of zeros behind a pass. They are read in place of pixels outside a picture. */
// @ts-ignore: decorator
@inline
export function zerosOf(pass: Pass): usize {
  return changetype<usize>(pass) + PASS_BYTES;
}

/** The current packed lines, and the current block. */
// @ts-ignore: decorator
@inline
export function linesOf(pass: Pass): Lines {
  return changetype<Lines>(zerosOf(pass) + ZERO_BYTES);
}

// @ts-ignore: decorator
@inline
export function blockOf(pass: Pass): Block {
  return changetype<Block>(changetype<usize>(linesOf(pass)) + LINES_BYTES);
}

/** Row i of the current panel. */
// @ts-ignore: decorator
@inline
export function rowOf(pass: Pass, i: i32): Row {
  return changetype<Row>(changetype<usize>(blockOf(pass)) + BLOCK_BYTES + i * ROW_BYTES);
}

/**
 * Sets the rows [first, first + count) of the grid as the rows of the current panel. The remaining rows have no
 * picture.
 */
export function placeRows(pass: Pass, first: i32, count: i32): void {
  let x = first % pass.gridX;
  let y = (first / pass.gridX) % pass.gridY;
  let b = first / (pass.gridX * pass.gridY);
  const picture = <usize>(pass.height * pass.width) * pass.pixel;
  for (let i = 0; i < MR; ++i) {
    const row = rowOf(pass, i);
    // A position below every picture, so that all its taps are outside.
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

/** The address of channel 0 at (y, x) of a row's picture, or 0 outside it. */
// @ts-ignore: decorator
@inline
export function pixelAt(pass: Pass, row: Row, y: i32, x: i32): usize {
  const atY = row.y0 + y;
  const atX = row.x0 + x;
  if (<u32>atY >= <u32>pass.height || <u32>atX >= <u32>pass.width) return 0;
  return row.x + <usize>(atY * pass.width + atX) * pass.pixel;
}
