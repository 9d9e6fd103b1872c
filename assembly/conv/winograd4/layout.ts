/**
 * The layout of the fast Winograd kernels, F(4x4, 3x3): a map cut into tiles of 4x4 positions, blocks of tiles, and a
 * thread's workspace. It is simpler than that of F(2x2, 3x3). The last tiles of a map may have fewer positions. We
 * compute all of their products and write only the positions of the map.
 *
 * The position (4·ty, 4·tx) is the first of tile (ty, tx). Tile rows are counted through all pictures. A block is
 * `rows` tile rows from `from` on, and the tile columns [x0, x1). Its tiles are numbered row by row.
 */
import { WinogradMaps } from '../../records';
import { workspaceOf } from '../../scratch';
import { CHANNELS, ROW } from '../winograd/layout';
import { TALL } from '../winograd/tiles';

/** The positions along a side of a tile, and the pixels that it reads. */
export const TILE: i32 = 4;
export const READ: i32 = 6;

/** The largest number of tiles in a block. */
export const TILES: i32 = 32;

/** Bytes from one of the matrices to the next. There is room for a whole register tile behind the last tile. */
export const PRODUCT: usize = (<usize>TILES + TALL) * ROW;

/** A block of tiles. */
@unmanaged
export class Block {
  from: i32;
  rows: i32;
  x0: i32;
  x1: i32;
}

const BLOCK_BYTES: usize = 64;
/** A row of pixels: four for each tile, and two more. */
const LINE_BYTES: usize = (<usize>(TILE * TILES) + 2) * ROW;

/** A row of zeros, for rows outside a picture. */
// @ts-ignore: decorator
@inline
export function zeros(block: Block): usize {
  return changetype<usize>(block) + BLOCK_BYTES;
}

/** An empty bias. It is -0, because x + -0 is x, also if x is -0. */
// @ts-ignore: decorator
@inline
export function noBias(block: Block): usize {
  return zeros(block) + LINE_BYTES;
}

/** The row of pixels that is transformed. */
// @ts-ignore: decorator
@inline
export function lineOf(block: Block): usize {
  return noBias(block) + ROW;
}

/** The matrices: six of transformed pixels, then 36 of products. */
// @ts-ignore: decorator
@inline
export function matrix(block: Block, i: i32): usize {
  return lineOf(block) + LINE_BYTES + i * PRODUCT;
}

/** Bytes of a thread's workspace. */
export function winograd4Bytes(): i32 {
  return <i32>(BLOCK_BYTES + 2 * LINE_BYTES + ROW + (READ + READ * READ) * PRODUCT);
}

/** Initialises the block of a thread's workspace and returns it. */
export function prepareBlock(r: WinogradMaps): Block {
  const block = changetype<Block>(workspaceOf(r.workspace, r.workspaceBytes));
  memory.fill(zeros(block), 0, LINE_BYTES);
  for (let c: usize = 0; c < (<usize>CHANNELS) << 2; c += 16) v128.store(noBias(block) + c, f32x4.splat(-0));
  return block;
}

/** The number of tiles along a side. */
// @ts-ignore: decorator
@inline
export function tilesAlong(places: i32): i32 {
  return (places + TILE - 1) / TILE;
}
