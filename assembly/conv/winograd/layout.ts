/**
 * The layout that the Winograd kernels share: a map cut into tiles of 2x2 positions, blocks of tiles, and a thread's
 * workspace.
 *
 * The position (2·ty, 2·tx) is the first of tile (ty, tx). A tile row is a row of tiles of one picture. Tile rows are
 * counted through all pictures. A block is a few tile rows that fill the caches. They may belong to several pictures.
 *
 * If a map has an odd size, its last tiles have only one row or column of positions. These tiles do not need the
 * products (3, j) or (i, 3), so we do not compute them. A block therefore orders its tiles by kind: those of the last
 * column, whole ones, those of the last row, and the corner. The tiles that need a product are then neighbours.
 */
import { WinogradMaps } from '../../records';
import { workspaceOf } from '../../scratch';

/** The largest number of tiles in a block, and of channels that it reads at a time. */
const TILES: i32 = 64;
export const CHANNELS: i32 = 128;

/** Bytes from one tile to the next in a matrix of the workspace: nine cache lines, for any number of channels. */
export const ROW: usize = (<usize>CHANNELS + 16) << 2;
/**
 * Bytes from one of the sixteen matrices to the next. There is room for a whole register tile that begins at the last
 * tile.
 */
export const PRODUCT: usize = (<usize>TILES + 4) * ROW;

/** One tile row of a block. */
@unmanaged
export class TileRow {
  picture: i32;
  /** Its first row of positions. */
  y: i32;
  /** The places of its tiles in the block: those with two columns of positions, and the one with one column. */
  at: i32;
  edge: i32;
}

const TILE_ROW_BYTES: i32 = 16;

/** A block of tiles. */
@unmanaged
export class Block {
  /** Tile columns [x0, x1). */
  x0: i32;
  x1: i32;
  rows: i32;
  /** The number of tiles in a row that have two columns of positions, and that have one (0 or 1). */
  whole: i32;
  edges: i32;
  /** The number of tiles of each kind: the last column's, whole ones, the last row's, corners. */
  right: i32;
  inner: i32;
  bottom: i32;
  corner: i32;
}

const BLOCK_BYTES: usize = 64;

/** A thread's workspace: the block, its tile rows, an empty bias, one row of pixels, and matrices. */
// @ts-ignore: decorator
@inline
export function blockOf(r: WinogradMaps): Block {
  return changetype<Block>(workspaceOf(r.workspace, r.workspaceBytes));
}

// @ts-ignore: decorator
@inline
export function tileRow(block: Block, i: i32): TileRow {
  return changetype<TileRow>(changetype<usize>(block) + BLOCK_BYTES + i * TILE_ROW_BYTES);
}

/** An empty bias for all channels of a block. It is -0, because x + -0 is x, also if x is -0. */
// @ts-ignore: decorator
@inline
export function noBias(block: Block): usize {
  return changetype<usize>(block) + BLOCK_BYTES + TILES * TILE_ROW_BYTES;
}

/** A row of pixels: two for each tile, and two more. */
// @ts-ignore: decorator
@inline
export function lineOf(block: Block): usize {
  return noBias(block) + ROW;
}

/** The matrix of a product. There are twenty matrices. */
// @ts-ignore: decorator
@inline
export function matrix(block: Block, i: i32): usize {
  return lineOf(block) + (2 * TILES + 2) * ROW + i * PRODUCT;
}

/** Initialises the block of a thread's workspace and returns it. */
export function prepareBlock(r: WinogradMaps): Block {
  const block = blockOf(r);
  for (let c: usize = 0; c < (<usize>CHANNELS) << 2; c += 16) v128.store(noBias(block) + c, f32x4.splat(-0));
  return block;
}

/** Bytes of a thread's workspace. */
export function winogradBytes(): i32 {
  return <i32>(BLOCK_BYTES + TILES * TILE_ROW_BYTES + ROW + (2 * TILES + 2) * ROW + 20 * PRODUCT);
}

/** The number of tiles along a side. */
// @ts-ignore: decorator
@inline
export function tilesAlong(places: i32): i32 {
  return (places + 1) >> 1;
}

/** The number of tile columns of a block of at most `tiles` tiles. They divide a map into equal parts. */
export function blockColumns(columns: i32, tiles: i32 = TILES): i32 {
  const parts = (columns + tiles - 1) / tiles;
  return (columns + parts - 1) / parts;
}

/**
 * The number of tile rows of a block: the largest that fits and gives a multiple of `height` tiles. Whole register
 * tiles of `height` tiles then fill the block. If there is no such number, as many rows as fit.
 */
export function blockRows(columns: i32, height: i32, tiles: i32 = TILES): i32 {
  const rows = tiles / columns;
  for (let n = rows; n > 1; --n) {
    if ((n * columns) % height == 0) return n;
  }
  return rows;
}

/** Sets the tile rows [from, to), counted through all pictures, and the tile columns [x0, x1) as the current block. */
export function placeBlock(block: Block, r: WinogradMaps, from: i32, to: i32, x0: i32, x1: i32): void {
  const along = tilesAlong(r.rows);
  block.x0 = x0;
  block.x1 = x1;
  block.rows = to - from;
  block.edges = r.columns & 1 && x1 == tilesAlong(r.columns) ? 1 : 0;
  block.whole = x1 - x0 - block.edges;
  let last = 0;
  if (r.rows & 1) {
    for (let i = from; i < to; ++i) last += i32(i % along == along - 1);
  }
  const others = block.rows - last;
  block.right = block.edges * others;
  block.inner = block.whole * others;
  block.bottom = block.whole * last;
  block.corner = block.edges * last;

  let at = block.right;
  let edge = 0;
  let atLast = at + block.inner;
  let edgeLast = atLast + block.bottom;
  for (let i = from; i < to; ++i) {
    const row = tileRow(block, i - from);
    row.picture = i / along;
    row.y = 2 * (i % along);
    if (row.y == r.rows - 1) {
      row.at = atLast;
      row.edge = edgeLast;
      atLast += block.whole;
      edgeLast += block.edges;
    } else {
      row.at = at;
      row.edge = edge;
      at += block.whole;
      edge += block.edges;
    }
  }
}

/** The first tile of product (i, j), and the end of its tiles. */
// @ts-ignore: decorator
@inline
export function firstTile(block: Block, j: i32): i32 {
  return j == 3 ? block.right : 0;
}

// @ts-ignore: decorator
@inline
export function endTile(block: Block, i: i32, j: i32): i32 {
  let end = block.right + block.inner;
  if (i < 3) end += block.bottom;
  if (i < 3 && j < 3) end += block.corner;
  return end;
}
