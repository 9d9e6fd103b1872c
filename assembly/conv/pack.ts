/**
 * Packing for convolutions, into the panels of the GEMM (gemm/pack.ts): rows of A are read from pictures, and weights
 * become B. The index k counts the channels of all taps. We split it into runs, each inside one tap. A tap outside a
 * picture reads zeros, always from the same address.
 */
import { MR, NR } from '../gemm/blocks';
import { packPanel, storeColumns2, storeColumns4 } from '../gemm/pack';
import { Pass, pixelAt, rowOf, zerosOf } from './pass';

/** dst[p][row] = A[row, k0 + p] for p < kc. The last call of `placeRows` chose the rows. */
export function packRows(pass: Pass, k0: i32, kc: i32, dst: usize): void {
  const channels = pass.channels;
  let tap = k0 / channels;
  let c = k0 % channels;
  for (const end = k0 + kc; k0 < end; ++tap) {
    const run = min(channels - c, end - k0);
    const y = (tap / pass.tapsX) * pass.stepY;
    const x = (tap % pass.tapsX) * pass.stepX;
    packFour(pass, y, x, c, run, dst);
    if (MR > 4) packTwo(pass, y, x, c, run, dst + 16);
    dst += (<usize>(run * MR)) << 2;
    k0 += run;
    c = 0;
  }
}

/** Rows 0 to 3: `run` channels, starting at c. */
function packFour(pass: Pass, y: i32, x: i32, c: i32, run: i32, dst: usize): void {
  const zeros = zerosOf(pass);
  const from = (<usize>c) << 2;
  let p0 = pixelAt(pass, rowOf(pass, 0), y, x);
  let p1 = pixelAt(pass, rowOf(pass, 1), y, x);
  let p2 = pixelAt(pass, rowOf(pass, 2), y, x);
  let p3 = pixelAt(pass, rowOf(pass, 3), y, x);
  const s0: usize = p0 ? 4 : 0;
  const s1: usize = p1 ? 4 : 0;
  const s2: usize = p2 ? 4 : 0;
  const s3: usize = p3 ? 4 : 0;
  p0 = p0 ? p0 + from : zeros;
  p1 = p1 ? p1 + from : zeros;
  p2 = p2 ? p2 + from : zeros;
  p3 = p3 ? p3 + from : zeros;
  const step = (<usize>MR) << 2;
  let i = 0;
  for (; i + 4 <= run; i += 4) {
    storeColumns4(v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3), dst, step);
    p0 += s0 << 2;
    p1 += s1 << 2;
    p2 += s2 << 2;
    p3 += s3 << 2;
    dst += step << 2;
  }
  for (; i < run; ++i) {
    f32.store(dst, f32.load(p0));
    f32.store(dst, f32.load(p1), 4);
    f32.store(dst, f32.load(p2), 8);
    f32.store(dst, f32.load(p3), 12);
    p0 += s0;
    p1 += s1;
    p2 += s2;
    p3 += s3;
    dst += step;
  }
}

/** Rows 4 and 5. */
function packTwo(pass: Pass, y: i32, x: i32, c: i32, run: i32, dst: usize): void {
  const zeros = zerosOf(pass);
  const from = (<usize>c) << 2;
  let p0 = pixelAt(pass, rowOf(pass, 4), y, x);
  let p1 = pixelAt(pass, rowOf(pass, 5), y, x);
  const s0: usize = p0 ? 4 : 0;
  const s1: usize = p1 ? 4 : 0;
  p0 = p0 ? p0 + from : zeros;
  p1 = p1 ? p1 + from : zeros;
  const step = (<usize>MR) << 2;
  let i = 0;
  for (; i + 4 <= run; i += 4) {
    storeColumns2(v128.load(p0), v128.load(p1), dst, step);
    p0 += s0 << 2;
    p1 += s1 << 2;
    dst += step << 2;
  }
  for (; i < run; ++i) {
    f32.store(dst, f32.load(p0));
    f32.store(dst, f32.load(p1), 4);
    p0 += s0;
    p1 += s1;
    dst += step;
  }
}

/** dst[p][column] = B[k0 + p, n + column] for `valid` columns, p < kc. Further columns are zeros. */
export function packWeights(pass: Pass, n: i32, valid: i32, k0: i32, kc: i32, dst: usize): void {
  const channels = pass.channels;
  // The weights are contiguous along n, or else along k.
  const alongPanel = pass.wColumn == 4;
  const ld = alongPanel ? pass.wChannel : pass.wColumn;
  let tap = k0 / channels;
  let c = k0 % channels;
  for (const end = k0 + kc; k0 < end; ++tap) {
    const run = min(channels - c, end - k0);
    const y = <usize>(tap / pass.tapsX);
    const x = <usize>(tap % pass.tapsX);
    const src = pass.w + y * pass.wTapY + x * pass.wTapX + <usize>c * pass.wChannel + <usize>n * pass.wColumn;
    packPanel(NR, valid, run, src, ld, alongPanel, dst);
    dst += (<usize>(run * NR)) << 2;
    k0 += run;
    c = 0;
  }
}

/**
 * A as panels of columns side by side: dst[panel][p][lane] = A[row0 + p, k0 + NR·panel + lane] for p < count and
 * `columns` columns. Further columns are zeros. The gradient to the weights multiplies dy by these panels and sums over
 * rows.
 */
export function packColumns(pass: Pass, row0: i32, count: i32, k0: i32, columns: i32, dst: usize): void {
  const channels = pass.channels;
  const panel = (<usize>(count * NR)) << 2;
  if (columns % NR > 0) memory.fill(dst + <usize>(columns / NR) * panel, 0, panel);
  for (let column = 0; column < columns;) {
    const k = k0 + column;
    const tap = k / channels;
    const c = k % channels;
    const run = min(channels - c, columns - column);
    const y = (tap / pass.tapsX) * pass.stepY;
    const x = (tap % pass.tapsX) * pass.stepX;
    packTap(pass, row0, count, y, x, c, run, column, dst);
    column += run;
  }
}

/** Channels [c, c + run) of one tap as columns, starting at `column`, for `count` positions, starting at `row`. */
function packTap(
  pass: Pass,
  row: i32,
  count: i32,
  tapY: i32,
  tapX: i32,
  c: i32,
  run: i32,
  column: i32,
  dst: usize,
): void {
  const gridX = pass.gridX;
  const panel = (<usize>(count * NR)) << 2;
  let x = row % gridX;
  let y = (row / gridX) % pass.gridY;
  let b = row / (gridX * pass.gridY);
  const across = <usize>pass.width * pass.pixel;
  const picture = <usize>pass.height * across;
  // Groups of four channels stay within a panel.
  const fours = (run | column) % 4 == 0;
  dst += <usize>(column / NR) * panel;
  const lane = column % NR;
  for (let left = count; left > 0;) {
    // The positions of one row of the grid.
    const line = min(left, gridX - x);
    const atY = y * pass.strideY + pass.offsetY + tapY;
    const inside = <u32>atY < <u32>pass.height;
    let atX = x * pass.strideX + pass.offsetX + tapX;
    const start = pass.x + <usize>b * picture + <usize>atY * across + ((<usize>c) << 2);
    for (let i = 0; i < line; ++i) {
      const src = inside && <u32>atX < <u32>pass.width ? start + <usize>atX * pass.pixel : 0;
      if (fours) putFours(src, run, lane, panel, dst);
      else putLanes(src, run, lane, panel, dst);
      atX += pass.strideX;
      dst += NR << 2;
    }
    left -= line;
    x = 0;
    if (++y == pass.gridY) {
      y = 0;
      ++b;
    }
  }
}

/**
 * Copies `run` elements from src, or zeros if src is 0, to the lanes of panels, starting at `lane`. Both `run` and `lane`
 * are multiples of four.
 */
// @ts-ignore: decorator
@inline
function putFours(src: usize, run: i32, lane: i32, panel: usize, dst: usize): void {
  const zero = f32x4.splat(0);
  if (lane > 0) {
    v128.store(dst, src ? v128.load(src) : zero, 16);
    src = src ? src + 16 : 0;
    run -= 4;
    dst += panel;
  }
  for (; run >= NR; run -= NR, dst += panel) {
    v128.store(dst, src ? v128.load(src) : zero);
    v128.store(dst, src ? v128.load(src, 16) : zero, 16);
    src = src ? src + 32 : 0;
  }
  if (run > 0) v128.store(dst, src ? v128.load(src) : zero);
}

/** As `putFours`, for any `run` and `lane`. */
function putLanes(src: usize, run: i32, lane: i32, panel: usize, dst: usize): void {
  for (let i = 0; i < run; ++i) {
    f32.store(dst + ((<usize>lane) << 2), src ? f32.load(src + ((<usize>i) << 2)) : 0);
    if (++lane == NR) {
      lane = 0;
      dst += panel;
    }
  }
}
