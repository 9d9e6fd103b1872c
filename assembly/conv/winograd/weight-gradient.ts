/**
 * The gradient of a 3x3 convolution to its weights by Winograd's F(2x2, 3x3): see transforms.ts for the formulas.
 *
 *     S[i,j] = Σ (A dY Aᵀ)[i,j]·(Bᵀ d B)[i,j]   over tiles, [outChannels, channels],   dw = Gᵀ S G
 *
 * Blocks of tiles (layout.ts) are divided between `groups` sums, as evenly as possible. A thread computes whole sums,
 * and a second kernel adds them in ascending order. The order of summation depends only on the shape. A block adds its
 * tiles kind by kind (layout.ts), and those of a kind in ascending order. A sum adds its blocks in ascending order.
 *
 * Accuracy: the error is about that of the direct sum, at most 4e-7 of the rms of the results (test/winograd.test.ts).
 */
import { put4 } from '../../elementwise/put';
import { WinogradSumsRecord, WinogradWeightGradientRecord } from '../../records';
import { scratch } from '../../scratch';
import {
  Block,
  blockColumns,
  blockOf,
  blockRows,
  CHANNELS,
  endTile,
  firstTile,
  lineOf,
  matrix,
  placeBlock,
  ROW,
  tileRow,
  tilesAlong,
} from './layout';
import { NARROW, panelWidth, productOfColumns, TALL } from './tiles';
import { combineLines, gradientTiles, half, lineAt } from './transforms';
import { inputRows } from './winograd';

/** Bytes of a row of a sum, rounded up to whole register tiles. */
// @ts-ignore: decorator
@inline
function sumRow(channels: i32): usize {
  return (<usize>((channels + NARROW - 1) & -NARROW)) << 2;
}

/**
 * The size in bytes of one of the sixteen products of a sum. All sixteen are read together. With a power of two they
 * would fall into the same lines of the cache, so we add a line.
 */
// @ts-ignore: decorator
@inline
function sumStep(outChannels: i32, channels: i32): usize {
  return <usize>outChannels * sumRow(channels) + 64;
}

/** Computes the sums [g0, g1) for the channels [o0, o1) of y. */
export function winogradSums(g0: i32, g1: i32, o0: i32, o1: i32, r: WinogradSumsRecord): void {
  const block = blockOf(r);
  const total = r.batch * tilesAlong(r.rows);
  const along = tilesAlong(r.columns);
  const columns = blockColumns(along);
  const rows = blockRows(columns, TALL);
  const blocks = (total + rows - 1) / rows;
  for (let g = g0; g < g1; ++g) {
    const begin = ((g * blocks) / r.groups) * rows;
    const end = min(total, (((g + 1) * blocks) / r.groups) * rows);
    for (let x = 0; x < along; x += columns) {
      for (let from = begin; from < end; from += rows) {
        placeBlock(block, r, from, min(end, from + rows), x, min(along, x + columns));
        for (let o = o0; o < o1; o += CHANNELS) addBlock(block, r, g, o, min(o1, o + CHANNELS), x > 0 || from > begin);
      }
    }
  }
}

/** Adds a block's products to sum g for the channels [o0, o1) of y. */
function addBlock(block: Block, r: WinogradSumsRecord, g: i32, o0: i32, o1: i32, add: bool): void {
  const ld = sumRow(r.channels);
  const step = sumStep(r.outChannels, r.channels);
  for (let i = 0; i < 4; ++i) {
    gradientRows(block, r, i, o0, o1 - o0);
    for (let k = 0; k < r.channels; k += CHANNELS) {
      const kc = min(CHANNELS, r.channels - k);
      inputRows(block, r, i, k, kc);
      for (let j = 0; j < 4; ++j) {
        const tile = firstTile(block, j);
        const tiles = endTile(block, i, j) - tile;
        const v = matrix(block, j) + tile * ROW;
        const d = matrix(block, 4 + j) + tile * ROW;
        const s = r.sums + <usize>(16 * g + 4 * i + j) * step + <usize>o0 * ld + ((<usize>k) << 2);
        for (let c = 0; c < kc;) {
          const width = panelWidth(kc - c);
          const at = (<usize>c) << 2;
          productOfColumns(o1 - o0, width, tiles, d, v + at, s + at, ld, add);
          c += width;
        }
      }
    }
  }
}

/**
 * Row i of A dY Aᵀ for channels [o, o + size) of a block, in the matrices four to seven. The last row would be -y1. We
 * store y1, and `weightColumn` changes the sign.
 */
function gradientRows(block: Block, r: WinogradSumsRecord, i: i32, o: i32, count: i32): void {
  const size = (<usize>count) << 2;
  const pixel = (<usize>r.outChannels) << 2;
  const line = lineOf(block);
  const from = r.dy + ((<usize>o) << 2);
  for (let at = 0; at < block.rows; ++at) {
    const row = tileRow(block, at);
    if (i == 3 && row.y == r.rows - 1) continue;
    const y0 = lineAt(from, row.picture, row.y, r.rows, r.columns, pixel);
    const y1 = lineAt(from, row.picture, row.y + 1, r.rows, r.columns, pixel);
    const first = i == 3 ? y1 : y0;
    const second: usize = i == 1 || i == 2 ? y1 : 0;
    const pixels = 2 * (block.x1 - block.x0);
    combineLines(i == 2, first, second, 2 * block.x0, pixels, r.columns, pixel, size, line);
    const d = matrix(block, 4);
    gradientTiles(block.whole, line, size, d + row.at * ROW);
    gradientTiles(block.edges, line + 2 * block.whole * size, size, d + row.edge * ROW);
  }
}

/** dw of the filters [from, to). */
export function winogradWeightGradient(from: i32, to: i32, r: WinogradWeightGradientRecord): void {
  const ld = sumRow(r.channels);
  const tap = (<usize>r.channels) << 2;
  const add = r.accumulate != 0;
  for (let o = from; o < to; ++o) {
    const sums = r.sums + <usize>o * ld;
    const dw = r.out + <usize>o * 9 * tap;
    for (let c: usize = 0; c < tap; c += 16) {
      weightTile(sums + c, sumStep(r.outChannels, r.channels), r.groups, dw + c, tap, add);
    }
  }
}

/** The nine taps Gᵀ S G of four channels. */
function weightTile(sums: usize, step: usize, groups: i32, dw: usize, tap: usize, add: bool): void {
  // Gᵀ S, [3][4]
  for (let j = 0; j < 4; ++j) {
    const at = sums + j * step;
    const to = scratch + (j << 4);
    weightColumn(
      totalOf(at, step, groups),
      totalOf(at + 4 * step, step, groups),
      totalOf(at + 8 * step, step, groups),
      totalOf(at + 12 * step, step, groups),
      to,
      64,
      false,
    );
  }
  for (let y = 0; y < 3; ++y, dw += 3 * tap) {
    const at = scratch + (y << 6);
    weightColumn(v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48), dw, tap, add);
  }
}

/** The three results of Gᵀ s. The last element of s has the opposite sign (transforms.ts, `gradientTiles`). */
// @ts-ignore: decorator
@inline
function weightColumn(s0: v128, s1: v128, s2: v128, s3: v128, to: usize, step: usize, add: bool): void {
  const h = half(f32x4.add(s1, s2));
  put4(to, f32x4.add(s0, h), add);
  put4(to + step, half(f32x4.sub(s1, s2)), add);
  put4(to + 2 * step, f32x4.sub(h, s3), add);
}

/** The total of the groups' sums, for each of sixteen products. */
// @ts-ignore: decorator
@inline
function totalOf(at: usize, step: usize, groups: i32): v128 {
  let total = v128.load(at);
  for (let g = 1; g < groups; ++g) {
    at += 16 * step;
    total = f32x4.add(total, v128.load(at));
  }
  return total;
}
