/**
 * How a kernel's work is cut into chunks for the threads. The cut depends on the work's size alone, never on the
 * number of threads; small work is one chunk, which stays on the caller.
 *
 * Break-even: to publish a job and wait for it costs a few microseconds. So a chunk takes at least some five: GRAIN
 * elements of a function that is bound by memory, a quarter of that where an element costs more, half a million
 * multiply-adds of a GEMM (README, "Every core, and every bit").
 */
import { MAX_CHUNKS } from './control.ts';

/** The items of a chunk: [from, to), or a box [rowFrom, rowTo, colFrom, colTo) of a GEMM's result. */
export type Bounds = readonly number[];

/** Elements of a chunk: of a function of some 0.3 ns an element, and of one that costs more. */
export const GRAIN = 16384;
export const EXPENSIVE_GRAIN = 4096;

/** Chunks begin at multiples of 16 elements: a group of random numbers (assembly/random/gaussian.ts), a cache line. */
export const GROUP = 16;

/**
 * Cuts `n` items of `size` elements each into even ranges [from, to) of at least `least` elements.
 * A range begins at a multiple of 16 items where items are single elements.
 */
export function ranges(n: number, size: number, least: number): Bounds[] {
  const unit = size === 1 ? GROUP : 1;
  const step = unit * Math.ceil(least / Math.max(1, size) / unit);
  return even(n, balanced(n / step), unit);
}

/** The most chunks, at most `limit`, that two and four threads share evenly: 1, 2, or a multiple of 4. */
function balanced(limit: number): number {
  const most = Math.min(Math.floor(limit), MAX_CHUNKS);
  return most < 4 ? Math.max(1, most & ~1) : most & ~3;
}

/** Cuts work over [rows, cols] between rows; one row is cut along it. */
export function rowRanges({ rows, cols }: { rows: number; cols: number }, least: number): Bounds[] {
  return rows === 1 ? ranges(cols, 1, least) : ranges(rows, cols, least);
}

/** Path updates in a chunk at least, and paths: rows so short still pay. */
const PATH_GRAIN = 8192;
const PATH_LEAST = 256;

/** Cuts n paths of `steps` steps each. */
export function pathRanges({ n, steps }: { n: number; steps: number }): Bounds[] {
  return even(n, balanced(Math.min((n * steps) / PATH_GRAIN, n / PATH_LEAST)), GROUP);
}

/** Multiply-adds below which a GEMM is not cut, and the least in a chunk. */
const GEMM_GRAIN = 500_000;
/** Cuts along rows and columns are at multiples of these: whole tiles of either build (assembly/gemm/blocks.ts). */
export const TILE_ROWS = 12;
export const TILE_COLUMNS = 8;

/**
 * Cuts C[m,n] into boxes [m0, m1, n0, n1): along its longer side first, since a chunk packs the whole of the
 * operand along the other; both ways where the work is large.
 */
export function gemmBoxes({ m, n, k }: { m: number; n: number; k: number }): Bounds[] {
  const wanted = Math.min(MAX_CHUNKS, Math.floor((m * n * k) / GEMM_GRAIN));
  if (wanted < 2) return [[0, m, 0, n]];
  // Four chunks along a side balance two or four threads; where the work is large, sixteen in all.
  const long = Math.min(wanted, 4);
  const short = Math.min(Math.floor(wanted / long), Math.min(m, n) >= 256 ? 4 : 1);
  const rows = even(m, m >= n ? long : short, TILE_ROWS);
  const columns = even(n, m >= n ? short : long, TILE_COLUMNS);
  return rows.flatMap((row) => columns.map((column) => [...row, ...column]));
}

/** Cuts a batch between its products. */
export function gemmBatches({
  batch,
  m,
  n,
  k,
}: {
  batch: number;
  m: number;
  n: number;
  k: number;
}): Bounds[] {
  return ranges(batch, m * n * k, GEMM_GRAIN);
}

/** Whether each product of a batch is worth being cut on its own. */
export function isLargeGemm({ m, n, k }: { m: number; n: number; k: number }): boolean {
  return m * n * k >= 4 * GEMM_GRAIN;
}

/** Cuts [outer, m, inner] into boxes [o0, o1, i0, i1): sums over m stay in one box, and so in order. */
export function scatterBoxes({ outer, m, inner }: { outer: number; m: number; inner: number }): Bounds[] {
  if (outer > 1) return ranges(outer, m * inner, GRAIN).map((range) => [...range, 0, inner]);
  return ranges(inner, 1, Math.max(GROUP, GRAIN / Math.max(1, m))).map((range) => [0, outer, ...range]);
}

/** [0, n) in at most `parts` ranges as even as multiples of `unit` allow. */
function even(n: number, parts: number, unit: number): [number, number][] {
  if (parts === 1) return [[0, n]];
  const units = Math.ceil(n / unit);
  const found: [number, number][] = [];
  for (let i = 0; i < parts; i++) {
    const from = Math.floor((i * units) / parts) * unit;
    const to = Math.min(n, Math.floor(((i + 1) * units) / parts) * unit);
    if (to > from) found.push([from, to]);
  }
  return found;
}
