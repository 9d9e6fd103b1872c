/**
 * The convolutions that use Winograd's algorithm on the WebAssembly backend, and how their work is divided. Both depend
 * only on the shape. So results do not depend on threads, engine or time. The kernels are in assembly/conv/winograd/.
 *
 * Two sizes of tiles exist. F(2x2, 3x3) is the standard. F(4x4, 3x3) is for programs that choose fast convolutions. It
 * has fewer products and a larger error (assembly/conv/winograd4/). The gradient to the weights always has F(2x2, 3x3).
 */

import type { ActivationName } from '../formulas.ts';
import { type Conv2dWeightGradient, type ConvSizes, convPlaces, type Ptr, type Target } from '../kernels.ts';
import { type Bounds, balanced, even, GEMM_GRAIN, GRAIN, ranges } from '../partition.ts';
import type { ConvHost } from './host.ts';
import { type ConvMaps, forwardMaps, isPlain3x3 } from './maps.ts';

/** The least number of channels of x and of y for Winograd's algorithm. It also needs multiples of four. */
const WINOGRAD_CHANNELS = 32;

/** Whether a convolution and both of its gradients use Winograd's F(2x2, 3x3). If not, they use the direct sum. */
export function usesWinograd(s: ConvSizes): boolean {
  const [h, w] = convPlaces(s);
  return (
    isPlain3x3(s) &&
    [s.inChannels, s.outChannels].every((n) => n >= WINOGRAD_CHANNELS && n % 4 === 0) &&
    s.batch * h * w > 0
  );
}

/** The results along a side of a tile: 2 for the standard convolutions, 4 for the fast ones. */
type Tile = 2 | 4;
/** The number of products of a tile. */
const products = (tile: Tile) => (tile + 2) ** 2;

/**
 * Filters w[n,3,3,k], or [k,3,3,n] rotated by 180 degrees, transformed to panels [products][panel][k][16]. The last
 * panel has eight columns if that is enough.
 */
export interface WinogradFilter {
  readonly k: number;
  readonly n: number;
  readonly turned: boolean;
  readonly tile: Tile;
  readonly w: Ptr;
  readonly out: Ptr;
}

/** What follows the sum. */
interface Epilogue {
  readonly bias: Ptr | null;
  readonly activation: ActivationName;
  readonly out: Target;
}

export interface Winograd extends ConvMaps, Epilogue {
  readonly filters: Ptr;
}

/** sums[groups,16,outChannels,channels]: products of the tiles of x and dy, summed over each group of tiles. */
export interface WinogradSums extends ConvMaps {
  readonly dy: Ptr;
  readonly groups: number;
  readonly sums: Ptr;
}

export interface WinogradWeightGradient {
  readonly channels: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly sums: Ptr;
  readonly out: Target;
}

/** The number of columns of a panel, and of a narrow last panel (assembly/conv/winograd/tiles.ts). */
const PANEL = 16;
const LAST_PANEL = 8;
const padded = (n: number) => LAST_PANEL * Math.ceil(n / LAST_PANEL);

/** The number of elements of transformed filters. Each product is longer by a cache line. */
const filterElements = (k: number, n: number, tile: Tile) => products(tile) * (k * padded(n) + 16);

/** The number of elements of one group of sums: sixteen products, each longer by a cache line. */
const sumElements = ({ channels, outChannels }: ConvMaps) => 16 * (outChannels * padded(channels) + 16);
export const sumsElements = (maps: ConvMaps) => groupsOf(maps) * sumElements(maps);

/** The number of tile rows of all pictures, and of all tiles. */
const tileRows = ({ batch, rows }: ConvMaps, tile: Tile = 2) => batch * Math.ceil(rows / tile);
const tiles = (maps: ConvMaps, tile: Tile = 2) => tileRows(maps, tile) * Math.ceil(maps.columns / tile);
/** The number of products of a convolution, in grains. */
const grains = (maps: ConvMaps, tile: Tile = 2) =>
  (products(tile) * tiles(maps, tile) * maps.channels * maps.outChannels) / GEMM_GRAIN;

/** The number of tiles that fill a block (assembly/conv/winograd/layout.ts, winograd4/layout.ts). */
export const BLOCK_TILES = 64;
export const BLOCK_TILES_4 = 32;
/** The number of chunks of a convolution, and how many cuts there are between tile rows and between channels. */
const CHUNKS = 16;
const ROW_UNIT = 4;
const CHANNEL_CHUNKS = 4;

/** Boxes of tile rows and channels. We divide tile rows if they fill the blocks of several chunks, else channels. */
const boxes =
  (tile: Tile, blockTiles: number) =>
  (maps: ConvMaps): Bounds[] => {
    const [rows, n] = [tileRows(maps, tile), maps.outChannels];
    const wanted = Math.min(CHUNKS, Math.floor(grains(maps, tile)));
    if (wanted < 2) return [[0, rows, 0, n]];
    const blocks = Math.floor(tiles(maps, tile) / blockTiles);
    if (blocks >= CHANNEL_CHUNKS) {
      return even(rows, Math.min(wanted, blocks), ROW_UNIT).map((range) => [...range, 0, n]);
    }
    return even(n, Math.min(wanted, CHANNEL_CHUNKS), PANEL).map((range) => [0, rows, ...range]);
  };
export const winogradBoxes = boxes(2, BLOCK_TILES);
export const winograd4Boxes = boxes(4, BLOCK_TILES_4);

/**
 * The largest number of groups of sums, and of elements in all of them. Each further group is written and read once
 * more.
 */
const GROUPS = 8;
const GROUP_ELEMENTS = 1_100_000;

/**
 * The number of groups of sums over tiles. It depends only on the shape, and so does the order in which they are added.
 */
function groupsOf(maps: ConvMaps): number {
  // Each group has at least one block, and a block at least one tile row.
  const most = Math.floor(
    Math.min(GROUPS, GROUP_ELEMENTS / sumElements(maps), tiles(maps) / BLOCK_TILES, tileRows(maps)),
  );
  return Math.max(1, most);
}

/** Boxes of groups and channels of y. */
export function sumBoxes(maps: ConvMaps): Bounds[] {
  const groups = groupsOf(maps);
  const n = maps.outChannels;
  const parts = Math.max(1, Math.min(Math.floor(grains(maps)), Math.floor(CHANNEL_CHUNKS / groups)));
  const channels = even(n, parts, 4);
  return even(groups, groups, 1).flatMap((group) => channels.map((range) => [...group, ...range]));
}

/** Chunks of filters whose sums become weights. */
export const weightRanges = ({ channels, outChannels, groups }: WinogradWeightGradient) =>
  ranges(outChannels, 16 * groups * channels, GRAIN);

/** Chunks of whole panels. */
export const filterRanges = ({ k, n, tile }: WinogradFilter) =>
  even(n, balanced((products(tile) * k * n) / GRAIN), PANEL);

/**
 * y from x, or dx from dy with rotated filters. There are two jobs: the first transforms the filters once, and the
 * second uses them on all threads.
 */
export function winogradMap(on: ConvHost, maps: ConvMaps, turned: boolean, w: Ptr, rest: Epilogue): void {
  const { channels: k, outChannels: n } = maps;
  const tile = on.fast ? 4 : 2;
  on.withArray(filterElements(k, n, tile), (filters) => {
    on.run('winogradFilter', { k, n, turned, tile, w, out: filters });
    const name = on.fast ? 'winograd4' : 'winograd';
    on.run(name, { ...maps, ...rest, filters }, on.workspaceBytes(name));
  });
}

/** There are two jobs: the sums over groups of tiles, and the weights from these sums. */
export function winogradWeights(on: ConvHost, record: Conv2dWeightGradient): void {
  const { x, dy, out } = record;
  const maps = forwardMaps(record, x);
  const { channels, outChannels } = maps;
  const groups = groupsOf(maps);
  on.withArray(sumsElements(maps), (sums) => {
    on.run('winogradSums', { ...maps, dy, groups, sums }, on.workspaceBytes('winograd'));
    on.run('winogradWeightGradient', { channels, outChannels, groups, sums, out });
  });
}
