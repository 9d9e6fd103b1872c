/**
 * 3x3 convolutions by Winograd's F(2x2, 3x3): the forward pass and the gradient to the input. See transforms.ts for the
 * formulas, and layout.ts for tiles and blocks.
 *
 *     V[i,j] = (Bᵀ d B)[i,j]   [tiles, channels],   M[i,j] = V[i,j]·U[i,j]   [tiles, outChannels],   Y = Aᵀ M A
 *
 * A block of tiles is transformed and multiplied for each row i of the sixteen products, while it is in the cache. Bias
 * and activation are applied when the result is written. The gradient to the input is the same, with rotated filters
 * (filter.ts) and with dy in place of x.
 *
 * The order of summation depends only on the shape. The sum over channels comes first, and then the output transform.
 * The channels of a block of CHANNELS are added in ascending order, and so are the blocks. A NaN or an
 * infinity can reach all four results of each tile that reads it. They are at most two pixels away.
 *
 * Accuracy: the error is about that of the direct sum, at most 4e-7 of the rms of the results (test/winograd.test.ts).
 */
import { WinogradMaps, WinogradRecord } from '../../records';
import { filterStep } from './filter';
import {
  Block,
  blockColumns,
  blockRows,
  CHANNELS,
  endTile,
  firstTile,
  lineOf,
  matrix,
  noBias,
  placeBlock,
  prepareBlock,
  ROW,
  tileRow,
  tilesAlong,
} from './layout';
import { panelWidth, productOfRows, TALL } from './tiles';
import { combineLines, inputTiles, lineAt, outputTile } from './transforms';

/** Computes the tile rows [m0, m1), counted through all pictures, and the channels [n0, n1) of the result. */
export function winograd(m0: i32, m1: i32, n0: i32, n1: i32, r: WinogradRecord): void {
  const block = prepareBlock(r);
  const along = tilesAlong(r.columns);
  const columns = blockColumns(along);
  const rows = blockRows(columns, TALL);
  for (let x = 0; x < along; x += columns) {
    for (let from = m0; from < m1; from += rows) {
      placeBlock(block, r, from, min(m1, from + rows), x, min(along, x + columns));
      for (let n = n0; n < n1; n += CHANNELS) {
        const to = min(n1, n + CHANNELS);
        products(block, r, n, to);
        output(block, r, n, to);
      }
    }
  }
}

/** M of a block for the channels [n0, n1) of the result. */
function products(block: Block, r: WinogradRecord, n0: i32, n1: i32): void {
  const step = filterStep(r.channels, r.outChannels);
  for (let i = 0; i < 4; ++i) {
    for (let k = 0; k < r.channels; k += CHANNELS) {
      const kc = min(CHANNELS, r.channels - k);
      inputRows(block, r, i, k, kc);
      for (let j = 0; j < 4; ++j) {
        const tile = <usize>firstTile(block, j) * ROW;
        // Rounded up to whole register tiles. The rows behind the last tile are never read.
        const tiles = (endTile(block, i, j) - firstTile(block, j) + TALL - 1) & -TALL;
        const v = matrix(block, j) + tile;
        const m = matrix(block, 4 + 4 * i + j) + tile;
        const u = r.filters + <usize>(4 * i + j) * step;
        for (let n = n0; n < n1;) {
          const width = panelWidth(n1 - n);
          const panel = u + ((<usize>(n * r.channels + k * width)) << 2);
          productOfRows(tiles, width, kc, v, panel, m + ((<usize>(n - n0)) << 2), k > 0);
          n += width;
        }
      }
    }
  }
}

/** Row i of V for channels [k, k + kc) of a block, in the first four matrices. */
export function inputRows(block: Block, r: WinogradMaps, i: i32, k: i32, kc: i32): void {
  // Row i of Bᵀ d is row a of d minus row b. For i = 1 it is their sum.
  const a = i == 0 ? 0 : i == 2 ? 2 : 1;
  const b = i == 2 ? 1 : i == 3 ? 3 : 2;
  const size = (<usize>kc) << 2;
  const pixel = (<usize>r.channels) << 2;
  const line = lineOf(block);
  const left = 2 * block.x0 + r.left;
  const count = 2 * (block.x1 - block.x0) + 2;
  const from = r.x + ((<usize>k) << 2);
  for (let at = 0; at < block.rows; ++at) {
    const row = tileRow(block, at);
    if (i == 3 && row.y == r.rows - 1) continue;
    const y = row.y + r.top;
    const first = lineAt(from, row.picture, y + a, r.height, r.width, pixel);
    const second = lineAt(from, row.picture, y + b, r.height, r.width, pixel);
    combineLines(i != 1, first, second, left, count, r.width, pixel, size, line);
    const v = matrix(block, 0);
    inputTiles(block.whole, line, size, v + row.at * ROW);
    inputTiles(block.edges, line + 2 * block.whole * size, size, v + row.edge * ROW);
  }
}

/** Writes the channels [n0, n1) of a block's results. */
function output(block: Block, r: WinogradRecord, n0: i32, n1: i32): void {
  const size = (<usize>(n1 - n0)) << 2;
  const first = (<usize>n0) << 2;
  const pixel = (<usize>r.outChannels) << 2;
  const line = <usize>r.columns * pixel;
  const bias = r.bias ? r.bias + first : noBias(block);
  const add = r.accumulate != 0;
  const products = matrix(block, 4);
  for (let at = 0; at < block.rows; ++at) {
    const row = tileRow(block, at);
    const down: usize = row.y < r.rows - 1 ? line : 0;
    let out = r.out + <usize>(row.picture * r.rows + row.y) * line + <usize>(2 * block.x0) * pixel + first;
    let m = products + row.at * ROW;
    for (let x = 0; x < block.whole; ++x, m += ROW, out += 2 * pixel) {
      outputTile(m, size, out, pixel, down, add, bias, r.activation);
    }
    if (block.edges) outputTile(products + row.edge * ROW, size, out, 0, down, add, bias, r.activation);
  }
}
