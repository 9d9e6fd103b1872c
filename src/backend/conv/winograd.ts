/**
 * Which convolutions run by Winograd's algorithm on the WebAssembly backend, and how: a choice of the shape alone, so
 * that results do not depend on threads, engine or time. The kernels are in assembly/conv/winograd/.
 */

import type { ActivationName } from '../formulas.ts';
import { type Conv2dWeightGradient, type ConvSizes, convPlaces, type Ptr, type Target } from '../kernels.ts';
import { type Bounds, balanced, even, GEMM_GRAIN, GRAIN, ranges } from '../partition.ts';
import type { ConvHost } from './host.ts';
import { type ConvMaps, forwardMaps, isPlain3x3 } from './maps.ts';

/** Channels, of x and of y, from which on Winograd's algorithm is used; it takes multiples of four. */
const WINOGRAD_CHANNELS = 32;

/** Whether a convolution, and both of its gradients, run by Winograd's F(2x2, 3x3): else the direct sum is added. */
export function usesWinograd(s: ConvSizes): boolean {
  const [h, w] = convPlaces(s);
  return (
    isPlain3x3(s) &&
    [s.inChannels, s.outChannels].every((n) => n >= WINOGRAD_CHANNELS && n % 4 === 0) &&
    s.batch * h * w > 0
  );
}

/** Filters w[n,3,3,k], or [k,3,3,n] that are turned by half a turn, transformed to panels [16][panel][k][16], the last one of
 * eight columns where that is enough. */
export interface WinogradFilter {
  readonly k: number;
  readonly n: number;
  readonly turned: boolean;
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

/** Columns of a panel, and of a last one (assembly/conv/winograd/tiles.ts). */
const PANEL = 16;
const LAST_PANEL = 8;
const padded = (n: number) => LAST_PANEL * Math.ceil(n / LAST_PANEL);

/** Numbers that transformed filters take: sixteen products, each a line of the cache longer. */
const filterElements = (k: number, n: number) => 16 * (k * padded(n) + 16);

/** Numbers that one group of sums takes: sixteen products, each a line of the cache longer. */
const sumElements = ({ channels, outChannels }: ConvMaps) => 16 * (outChannels * padded(channels) + 16);
export const sumsElements = (maps: ConvMaps) => groupsOf(maps) * sumElements(maps);

/** Tile rows of all pictures, and all tiles. */
const tileRows = ({ batch, rows }: ConvMaps) => batch * Math.ceil(rows / 2);
const tiles = (maps: ConvMaps) => tileRows(maps) * Math.ceil(maps.columns / 2);
/** Products of a convolution, in grains. */
const grains = (maps: ConvMaps) => (16 * tiles(maps) * maps.channels * maps.outChannels) / GEMM_GRAIN;

/** Tiles that fill a block (assembly/conv/winograd/layout.ts). */
export const BLOCK_TILES = 64;
/** Chunks of a convolution, cuts between tile rows, and cuts between channels. */
const CHUNKS = 16;
const ROW_UNIT = 4;
const CHANNEL_CHUNKS = 4;

/** Boxes of tile rows and channels: of rows where they fill the blocks of several chunks, else of channels. */
export function winogradBoxes(maps: ConvMaps): Bounds[] {
  const [rows, n] = [tileRows(maps), maps.outChannels];
  const wanted = Math.min(CHUNKS, Math.floor(grains(maps)));
  if (wanted < 2) return [[0, rows, 0, n]];
  const blocks = Math.floor(tiles(maps) / BLOCK_TILES);
  if (blocks >= CHANNEL_CHUNKS) {
    return even(rows, Math.min(wanted, blocks), ROW_UNIT).map((range) => [...range, 0, n]);
  }
  return even(n, Math.min(wanted, CHANNEL_CHUNKS), PANEL).map((range) => [0, rows, ...range]);
}

/** The most groups of sums, and the most numbers of them all: each further group is written and read once more. */
const GROUPS = 8;
const GROUP_ELEMENTS = 1_100_000;

/** Groups of sums over tiles: they follow from the shape alone, as does the order in which they are added. */
function groupsOf(maps: ConvMaps): number {
  // Each group has a block at least, and a block a tile row at least.
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

/** Ranges of filters whose sums become weights. */
export const weightRanges = ({ channels, outChannels, groups }: WinogradWeightGradient) =>
  ranges(outChannels, 16 * groups * channels, GRAIN);

/** Ranges of whole panels. */
export const filterRanges = ({ k, n }: WinogradFilter) => even(n, balanced((16 * k * n) / GRAIN), PANEL);

/** y from x, or dx from dy with turned filters. Two jobs: filters are transformed once, and then used by all threads. */
export function winogradMap(on: ConvHost, maps: ConvMaps, turned: boolean, w: Ptr, rest: Epilogue): void {
  const { channels: k, outChannels: n } = maps;
  on.withArray(filterElements(k, n), (filters) => {
    on.run('winogradFilter', { k, n, turned, w, out: filters });
    on.run('winograd', { ...maps, ...rest, filters }, on.winogradBytes());
  });
}

/** Two jobs: sums over groups of tiles, and what becomes of them. */
export function winogradWeights(on: ConvHost, record: Conv2dWeightGradient): void {
  const { x, dy, out } = record;
  const maps = forwardMaps(record, x);
  const { channels, outChannels } = maps;
  const groups = groupsOf(maps);
  on.withArray(sumsElements(maps), (sums) => {
    on.run('winogradSums', { ...maps, dy, groups, sums }, on.winogradBytes());
    on.run('winogradWeightGradient', { channels, outChannels, groups, sums, out });
  });
}
