/**
 * 3x3 convolutions by Winograd's F(4x4, 3x3), for programs that choose fast convolutions: the forward pass and the
 * gradient to the input. See transforms.ts for the formulas, and layout.ts for tiles and blocks.
 *
 *     V[i,j] = (Bᵀ d B)[i,j]   [tiles, channels],   M[i,j] = V[i,j]·U[i,j]   [tiles, outChannels],   Y = Aᵀ M A
 *
 * A block of tiles is transformed and multiplied for each row i of the 36 products, while it is in the cache. Bias and
 * activation are applied when the result is written. The gradient to the input is the same, with rotated filters
 * (winograd/filter.ts) and with dy in place of x.
 *
 * The order of summation depends only on the shape, as in F(2x2, 3x3). A NaN or an infinity can reach all sixteen
 * results of each tile that reads it. They are at most four pixels away.
 *
 * Accuracy: the error is at most 1.3e-6 of the rms of the results, three to four times that of F(2x2, 3x3)
 * (test/winograd-fast.test.ts). The gradient to the weights is left out. It sums over many tiles, and F(2x2, 3x3)
 * computes it.
 */
import { WinogradMaps, WinogradRecord } from '../../records';
import { filterStep } from '../winograd/filter';
import { blockColumns, blockRows, CHANNELS, ROW } from '../winograd/layout';
import { panelWidth, productOfRows, TALL } from '../winograd/tiles';
import { Block, lineOf, matrix, noBias, prepareBlock, PRODUCT, READ, TILE, TILES, tilesAlong, zeros } from './layout';
import { combineRows, inputTiles, outputTile } from './transforms';

/** Computes the tile rows [m0, m1), counted through all pictures, and the channels [n0, n1) of the result. */
export function winograd4(m0: i32, m1: i32, n0: i32, n1: i32, r: WinogradRecord): void {
  const block = prepareBlock(r);
  const along = tilesAlong(r.columns);
  const columns = blockColumns(along, TILES);
  const rows = blockRows(columns, TALL, TILES);
  for (block.x0 = 0; block.x0 < along; block.x0 += columns) {
    block.x1 = min(along, block.x0 + columns);
    for (block.from = m0; block.from < m1; block.from += rows) {
      block.rows = min(rows, m1 - block.from);
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
  // Rounded up to whole register tiles. The rows behind the last tile are never read.
  const tiles = (block.rows * (block.x1 - block.x0) + TALL - 1) & -TALL;
  for (let i = 0; i < READ; ++i) {
    for (let k = 0; k < r.channels; k += CHANNELS) {
      const kc = min(CHANNELS, r.channels - k);
      inputRows(block, r, i, k, kc);
      for (let j = 0; j < READ; ++j) {
        const m = matrix(block, READ + READ * i + j);
        const u = r.filters + <usize>(READ * i + j) * step;
        for (let n = n0; n < n1;) {
          const width = panelWidth(n1 - n);
          const panel = u + ((<usize>(n * r.channels + k * width)) << 2);
          productOfRows(tiles, width, kc, matrix(block, j), panel, m + ((<usize>(n - n0)) << 2), k > 0);
          n += width;
        }
      }
    }
  }
}

/** Row i of V for channels [k, k + kc) of a block, in the first six matrices. */
function inputRows(block: Block, r: WinogradMaps, i: i32, k: i32, kc: i32): void {
  const along = tilesAlong(r.rows);
  const tiles = block.x1 - block.x0;
  const left = TILE * block.x0 + r.left;
  const count = TILE * tiles + 2;
  const size = (<usize>kc) << 2;
  const line = lineOf(block);
  // The rows of pixels that row i of Bᵀ reads: 0, 2, 4 or 1, 3, 5 for the ends, and else 1, 2, 3, 4.
  const first = i == 0 ? 0 : 1;
  const step = i == 0 || i == READ - 1 ? 2 : 1;
  for (let at = 0; at < block.rows; ++at) {
    const picture = (block.from + at) / along;
    const y = TILE * ((block.from + at) % along) + r.top + first;
    combineLines(block, r, i, picture, y, step, k, left, count, size, line);
    inputTiles(tiles, line, size, matrix(block, 0) + <usize>(at * tiles) * ROW);
  }
}

/** Row i of Bᵀ d for `count` pixels from `left` on, dense, and 0 outside the picture. */
function combineLines(
  block: Block,
  r: WinogradMaps,
  i: i32,
  picture: i32,
  y: i32,
  step: i32,
  k: i32,
  left: i32,
  count: i32,
  size: usize,
  line: usize,
): void {
  const from = min(max(left, 0), left + count);
  const to = max(min(left + count, r.width), from);
  const begin = line + <usize>(from - left) * size;
  const end = begin + <usize>(to - from) * size;
  memory.fill(line, 0, begin - line);
  memory.fill(end, 0, line + <usize>count * size - end);
  const d1 = rowAt(block, r, picture, y, from, k);
  const d2 = rowAt(block, r, picture, y + step, from, k);
  const d3 = rowAt(block, r, picture, y + 2 * step, from, k);
  const d4 = rowAt(block, r, picture, y + 3 * step, from, k);
  const pixel = (<usize>r.channels) << 2;
  if (pixel == size) return combineRows(i, d1, d2, d3, d4, begin, end);
  // The row of zeros is dense. So each pixel of it is the first one, and the other rows advance by a pixel.
  const none = zeros(block);
  for (let at = begin, o: usize = 0; at < end; at += size, o += pixel) {
    combineRows(
      i,
      d1 == none ? d1 : d1 + o,
      d2 == none ? d2 : d2 + o,
      d3 == none ? d3 : d3 + o,
      d4 == none ? d4 : d4 + o,
      at,
      at + size,
    );
  }
}

/** The address of channel k of pixel x in row y, or of zeros outside the picture. */
// @ts-ignore: decorator
@inline
function rowAt(block: Block, r: WinogradMaps, picture: i32, y: i32, x: i32, k: i32): usize {
  if (<u32>y >= <u32>r.height) return zeros(block);
  return r.x + ((<usize>((picture * r.height + y) * r.width + x) * r.channels + k) << 2);
}

/** Writes the channels [n0, n1) of a block's results. */
function output(block: Block, r: WinogradRecord, n0: i32, n1: i32): void {
  const size = (<usize>(n1 - n0)) << 2;
  const first = (<usize>n0) << 2;
  const pixel = (<usize>r.outChannels) << 2;
  const line = <usize>r.columns * pixel;
  const bias = r.bias ? r.bias + first : noBias(block);
  const add = r.accumulate != 0;
  const along = tilesAlong(r.rows);
  let m = matrix(block, READ);
  for (let at = 0; at < block.rows; ++at) {
    const picture = (block.from + at) / along;
    const y = TILE * ((block.from + at) % along);
    const rows = min(TILE, r.rows - y);
    let out = r.out + <usize>(picture * r.rows + y) * line + <usize>(TILE * block.x0) * pixel + first;
    for (let x = TILE * block.x0; x < TILE * block.x1; x += TILE, m += ROW, out += TILE * pixel) {
      outputTile(m, size, out, rows, min(TILE, r.columns - x), pixel, line, add, bias, r.activation);
    }
  }
}
