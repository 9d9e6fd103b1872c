/**
 * Products of a convolution (pass.ts) for four pictures at a time. The rows of a register tile are one position in each
 * of the four pictures. Lines of pixels are packed with zeros around the pictures,
 *
 *     P[line][pixel][c][picture]
 *
 * So each element is packed once for all taps that read it. The steps of a position are a few runs of P, because
 * neighbouring taps along x are neighbours in P. If the taps go from right to left, the packed lines do so, too.
 *
 * The order of summation is that of direct.ts. P has whole pictures if they fit, and serves all passes and blocks. If
 * not, it has the lines for a few rows of the grid. All of these positions are multiplied by one panel of B, which stays
 * in L1, and then by the next panel.
 */
import { BLOCK, EDGE, KC, NR, PACKED_A } from '../gemm/blocks';
import { storeEdge, storeFour } from '../gemm/gemm';
import { storeColumns4 } from '../gemm/pack';
import { mulAdd } from '../mul-add';
import { scratch } from '../scratch';
import { Block, Lines, linesOf, Pass } from './pass';

/** The number of pictures. */
export const PICTURES: i32 = 4;
/** Bytes of one element of all pictures. */
const ELEMENT: i32 = PICTURES << 2;
/** P takes the end of the memory for packed B. The most bytes of P: for whole pictures, and for a few rows. */
const WHOLE: i32 = (BLOCK - 64 * KC) << 2;
const STRIP: i32 = BLOCK << 1;

/** A run: bytes from a position's first element in P to the run, and the bytes of its rows in a panel of B. */
@unmanaged
class Run {
  from: i32;
  size: i32;
}
const RUN_BYTES: usize = 8;

/** Makes P empty. */
export function noLines(pass: Pass): void {
  const lines = linesOf(pass);
  lines.top = i32.MAX_VALUE;
  lines.left = i32.MAX_VALUE;
  lines.bottom = i32.MIN_VALUE;
  lines.right = i32.MIN_VALUE;
}

/** Extends P so that it has the pixels of the rows [y0, y1) of the grid at the taps [t0, t1] along y. */
function cover(pass: Pass, t0: i32, t1: i32, y0: i32, y1: i32): void {
  const lines = linesOf(pass);
  const from = t0 * pass.stepY;
  const to = t1 * pass.stepY;
  const across = (pass.tapsX - 1) * pass.stepX;
  lines.top = min(lines.top, y0 * pass.strideY + pass.offsetY + min(from, to));
  lines.bottom = max(lines.bottom, (y1 - 1) * pass.strideY + pass.offsetY + max(from, to));
  lines.left = min(lines.left, pass.offsetX + min(0, across));
  lines.right = max(lines.right, (pass.gridX - 1) * pass.strideX + pass.offsetX + max(0, across));
  lines.backward = pass.stepX < 0;
}

/** Extends P so that it has all pixels of a pass. */
export function coverAll(pass: Pass): void {
  if (pass.tapsY * pass.tapsX > 0) cover(pass, 0, pass.tapsY - 1, 0, pass.gridY);
}

/** Places P at the end of the memory. Returns false if it needs more than `most` bytes. */
export function place(pass: Pass, most: i32 = WHOLE): bool {
  const lines = linesOf(pass);
  const count = lines.bottom - lines.top + 1;
  lines.size = (lines.right - lines.left + 1) * pass.channels * ELEMENT;
  lines.at = scratch + (BLOCK << 2) - <usize>(count * lines.size);
  return count > 0 && lines.size > 0 && count <= most / lines.size;
}

/** The number of floats that P leaves for a packed B. */
export function roomBeside(pass: Pass): i32 {
  return <i32>((linesOf(pass).at - scratch) >> 2);
}

/** The most rows of the grid for which P fits, for the steps [p0, p0 + kc). It may be 0. */
export function stripRows(pass: Pass, p0: i32, kc: i32): i32 {
  const across = pass.tapsX * pass.channels;
  for (let rows = pass.gridY; rows > 0; --rows) {
    noLines(pass);
    cover(pass, p0 / across, (p0 + kc - 1) / across, 0, rows);
    if (place(pass, STRIP)) return rows;
  }
  return 0;
}

/** Packs the lines of four pictures from b on. */
export function packLines(pass: Pass, b: i32): void {
  const lines = linesOf(pass);
  const across = <usize>pass.width * pass.pixel;
  const x = pass.x + <usize>(b * pass.height) * across;
  let dst = lines.at;
  for (let y = lines.top; y <= lines.bottom; ++y, dst += lines.size) {
    if (<u32>y < <u32>pass.height) packLine(pass, lines, x + <usize>y * across, dst);
    else memory.fill(dst, 0, lines.size);
  }
}

/** Packs one line inside the pictures. */
function packLine(pass: Pass, lines: Lines, src: usize, dst: usize): void {
  const picture = <usize>(pass.height * pass.width) * pass.pixel;
  const pixel = pass.channels * ELEMENT;
  let x = lines.backward ? lines.right : lines.left;
  for (const end = dst + lines.size; dst < end; dst += pixel) {
    if (<u32>x < <u32>pass.width) packPixel(src + <usize>x * pass.pixel, picture, pass.channels, dst);
    else memory.fill(dst, 0, pixel);
    x += lines.backward ? -1 : 1;
  }
}

// @ts-ignore: decorator
@inline
function packPixel(p0: usize, picture: usize, channels: i32, dst: usize): void {
  let p1 = p0 + picture;
  let p2 = p1 + picture;
  let p3 = p2 + picture;
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    storeColumns4(v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3), dst, ELEMENT);
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    dst += 4 * ELEMENT;
  }
  for (; c < channels; ++c, dst += ELEMENT) {
    f32.store(dst, f32.load(p0));
    f32.store(dst, f32.load(p1), 4);
    f32.store(dst, f32.load(p2), 8);
    f32.store(dst, f32.load(p3), 12);
    p0 += 4;
    p1 += 4;
    p2 += 4;
    p3 += 4;
  }
}

/** Writes the runs of a block's steps, and returns their end. */
function writeRuns(pass: Pass, block: Block): usize {
  const channels = pass.channels;
  const line = linesOf(pass).size;
  let p = block.p0;
  let tap = p / channels;
  let c = p % channels;
  let at = scratch + PACKED_A;
  let next = i32.MIN_VALUE;
  for (const end = p + block.kc; p < end; ++tap) {
    const count = min(channels - c, end - p);
    const y = (tap / pass.tapsX) * pass.stepY;
    const x = (tap % pass.tapsX) * abs(pass.stepX);
    const from = y * line + (x * channels + c) * ELEMENT;
    if (from == next) {
      changetype<Run>(at - RUN_BYTES).size += (count * NR) << 2;
    } else {
      const run = changetype<Run>(at);
      run.from = from;
      run.size = (count * NR) << 2;
      at += RUN_BYTES;
    }
    next = from + count * ELEMENT;
    p += count;
    c = 0;
  }
  return at;
}

/** Adds a block to all positions of the first four pictures. They are packed as a whole. */
export function multiplyPictures(pass: Pass, block: Block): void {
  multiplyRows(pass, block, writeRuns(pass, block), 0, 0, pass.gridY);
}

/** Adds a block to all positions of the pictures [b0, b1), a multiple of four. P has `rows` rows of the grid. */
export function multiplyStrips(pass: Pass, block: Block, b0: i32, b1: i32, rows: i32): void {
  const across = pass.tapsX * pass.channels;
  const first = block.p0 / across;
  const last = (block.p0 + block.kc - 1) / across;
  const end = writeRuns(pass, block);
  for (let b = b0; b < b1; b += PICTURES) {
    for (let y = 0; y < pass.gridY; y += rows) {
      const to = min(pass.gridY, y + rows);
      noLines(pass);
      cover(pass, first, last, y, to);
      place(pass, STRIP);
      packLines(pass, b);
      multiplyRows(pass, block, end, b, y, to);
    }
  }
}

/** The rows [y0, y1) of the grid. */
function multiplyRows(pass: Pass, block: Block, last: usize, b: i32, y0: i32, y1: i32): void {
  const lines = linesOf(pass);
  const pixel = pass.channels * ELEMENT;
  const step = lines.backward ? -pass.strideX * pixel : pass.strideX * pixel;
  const side = lines.backward ? lines.right - pass.offsetX : pass.offsetX - lines.left;
  const down = lines.size * pass.strideY;
  const first = lines.at + (y0 * pass.strideY + pass.offsetY - lines.top) * lines.size + side * pixel;
  const top = pass.out + block.column + <usize>b * pass.outPicture + <usize>y0 * pass.outY;
  const panel = (<usize>(block.kc * NR)) << 2;
  const add = block.accumulate;
  const activate = block.activation;
  const ld = pass.outPicture;
  const outX = pass.outX;
  const runs = scratch + PACKED_A;
  let from = scratch;
  for (let n = 0; n < block.columns; n += NR, from += panel) {
    const bias: usize = block.bias ? block.bias + ((<usize>n) << 2) : 0;
    const columns = min(NR, block.columns - n);
    let a = first;
    let out = top + ((<usize>n) << 2);
    for (let y = y0; y < y1; ++y, a += down, out += pass.outY) {
      if (columns == NR) {
        tiles(pass.gridX, runs, last, a, step, from, out, outX, ld, add, bias, activate);
        continue;
      }
      for (let x = 0; x < pass.gridX; ++x) {
        tiles(1, runs, last, a + x * step, 0, from, scratch + EDGE, 0, NR << 2, false, 0, 0);
        storeEdge(PICTURES, columns, scratch + EDGE, out + <usize>x * outX, ld, add, bias, activate);
      }
    }
  }
}

/**
 * `count` tiles c[4,8] = [c +] A·B [+ bias], then the activation, as in gemm/tile-4x8.ts. They share a panel of B.
 *
 * @param runs the runs of A, which end at `last`
 * @param a the first element of the first position, and `aStep` bytes from one position to the next
 * @param c the first result, `cStep` bytes from one position to the next, and `ldc` from one picture to the next
 */
function tiles(
  count: i32,
  runs: usize,
  last: usize,
  a: usize,
  aStep: i32,
  panel: usize,
  c: usize,
  cStep: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  for (let left = count; left > 0; --left, a += aStep, c += cStep) {
    let b = panel;
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    for (let at = runs; at < last; at += RUN_BYTES) {
      let p = a + changetype<Run>(at).from;
      const end = b + changetype<Run>(at).size;
      // prettier-ignore
      while (b < end) {
        const b0 = v128.load(b), b1 = v128.load(b, 16);
        const a0 = v128.load32_splat(p), a1 = v128.load32_splat(p, 4);
        const a2 = v128.load32_splat(p, 8), a3 = v128.load32_splat(p, 12);
        p += ELEMENT;
        b += NR << 2;
        c00 = mulAdd(a0, b0, c00); c01 = mulAdd(a0, b1, c01);
        c10 = mulAdd(a1, b0, c10); c11 = mulAdd(a1, b1, c11);
        c20 = mulAdd(a2, b0, c20); c21 = mulAdd(a2, b1, c21);
        c30 = mulAdd(a3, b0, c30); c31 = mulAdd(a3, b1, c31);
      }
    }
    const bias1 = bias ? bias + 16 : 0;
    let row = c;
    storeFour(row, c00, accumulate, bias, activate);
    storeFour(row + 16, c01, accumulate, bias1, activate);
    row += ldc;
    storeFour(row, c10, accumulate, bias, activate);
    storeFour(row + 16, c11, accumulate, bias1, activate);
    row += ldc;
    storeFour(row, c20, accumulate, bias, activate);
    storeFour(row + 16, c21, accumulate, bias1, activate);
    row += ldc;
    storeFour(row, c30, accumulate, bias, activate);
    storeFour(row + 16, c31, accumulate, bias1, activate);
  }
}
