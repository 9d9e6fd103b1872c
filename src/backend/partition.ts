/**
 * Divides a kernel's work into chunks for the threads. The division depends only on the size of the work, never on the
 * number of threads. Small work is one chunk and stays on the caller.
 *
 * Break-even: to publish a job and wait for it costs about a microsecond while the workers are awake. `npm run bench --
 * grains` measures the size from which threads are faster. On two cores of an AMD EPYC (Zen 5, Node 20) two threads are
 * faster by a tenth or more from these chunk sizes on: 16,384 elements of a sum of two arrays, 2,048 of `exp`, 1,024
 * normals, 32,768 elements of a reduction, 190,000 multiply-adds of a GEMM, and 1,024 updates of paths. The constants
 * below are these sizes.
 */
import { MAX_CHUNKS } from './control.ts';
import { type ConvSizes, convPlaces, type PoolSizes, poolPlaces } from './kernels.ts';

/** The items of a chunk: [from, to), or a box [rowFrom, rowTo, colFrom, colTo) of a GEMM's result. */
export type Bounds = readonly number[];

/**
 * The least number of elements in a chunk: of a function that takes about 0.1 ns per element, and of one that costs ten
 * times as much.
 */
export const GRAIN = 16384;
export const EXPENSIVE_GRAIN = 2048;
/**
 * The least number of normals in a chunk, at 2.5 ns each, and of elements of a reduction, which writes almost nothing.
 */
export const NORMAL_GRAIN = 1024;
export const REDUCE_GRAIN = 32768;

/**
 * Chunks begin at multiples of 16 elements: a group of random numbers (assembly/random/gaussian.ts), and a cache line.
 */
export const GROUP = 16;

/**
 * Divides `n` items of `size` elements each into even ranges [from, to) of at least `least` elements. If items are
 * single elements, a range begins at a multiple of 16 items.
 */
export function ranges(n: number, size: number, least: number): Bounds[] {
  const unit = size === 1 ? GROUP : 1;
  const step = unit * Math.ceil(least / Math.max(1, size) / unit);
  return even(n, balanced(n / step), unit);
}

/**
 * The number of chunks for work of that many grains: 1, 2, or a multiple of 4. So two and four threads share it evenly.
 * If there are more than four chunks, each has at least four grains, because threads with smaller chunks slow each
 * other down.
 */
export function balanced(grains: number): number {
  if (grains < 4) return grains < 2 ? 1 : 2;
  return Math.min(MAX_CHUNKS, 4 * Math.max(1, Math.floor(grains / 16)));
}

/** Divides [rows, cols] between rows. A single row is divided along its columns. */
export function rowRanges({ rows, cols }: { rows: number; cols: number }, least: number): Bounds[] {
  return rows === 1 ? ranges(cols, 1, least) : ranges(rows, cols, least);
}

/** The least number of path updates in a chunk, and of paths. Shorter rows cost more. */
const PATH_GRAIN = 1024;
const PATH_LEAST = 256;

/** Divides n paths of `steps` steps each. */
export function pathRanges({ n, steps }: { n: number; steps: number }): Bounds[] {
  return even(n, balanced(Math.min((n * steps) / PATH_GRAIN, n / PATH_LEAST)), GROUP);
}

/** The least number of multiply-adds in a chunk of a GEMM. */
export const GEMM_GRAIN = 190_000;
/** Rows and columns are cut at multiples of these numbers: whole tiles of either build (assembly/gemm/blocks.ts). */
export const TILE_ROWS = 12;
export const TILE_COLUMNS = 8;

/**
 * Divides C[m,n] into boxes [m0, m1, n0, n1). We cut the longer side first, because each chunk packs the whole operand
 * along the other side. Large work is cut along both sides.
 */
export function gemmBoxes({ m, n, k }: { m: number; n: number; k: number }): Bounds[] {
  const chunks = balanced((m * n * k) / GEMM_GRAIN);
  if (chunks === 1) return [[0, m, 0, n]];
  // Four chunks along a side balance two or four threads. Large work has sixteen chunks in all.
  const long = Math.min(chunks, 4);
  const short = Math.min(chunks / long, Math.min(m, n) >= 256 ? 4 : 1);
  const rows = even(m, m >= n ? long : short, TILE_ROWS);
  const columns = even(n, m >= n ? short : long, TILE_COLUMNS);
  return rows.flatMap((row) => columns.map((column) => [...row, ...column]));
}

/** The number of chunks of a convolution that is cut between positions. */
const PLACE_CHUNKS = 16;

/**
 * The number of pictures that share a register tile (assembly/conv/pictures.ts), and the least number of pictures that
 * are divided between such groups.
 */
const PICTURES = 4;
const MANY_PICTURES = 16;

/**
 * Divides a product whose rows are positions. If there are many rows, it is divided between rows only, and each chunk
 * packs all weights. Otherwise it is divided as any product.
 */
function placeBoxes(sizes: { batch: number; places: number; n: number; k: number }): Bounds[] {
  const { batch, places, n, k } = sizes;
  const m = batch * places;
  const wanted = Math.min(PLACE_CHUNKS, Math.floor((m * n * k) / GEMM_GRAIN));
  if (wanted < 2 || m < 4 * PLACE_CHUNKS * TILE_ROWS) return gemmBoxes({ m, n, k });
  const unit = batch < MANY_PICTURES ? TILE_ROWS : PICTURES * places;
  return even(m, wanted, unit).map((rows) => [...rows, 0, n]);
}

/** Divides convolutions in the same way as the products that compute them (assembly/conv/). */
export const convBoxes = {
  /** Boxes of y: [batch·places, outChannels]. */
  forward(s: ConvSizes): Bounds[] {
    const [h, w] = convPlaces(s);
    return placeBoxes({ batch: s.batch, places: h * w, n: s.outChannels, k: taps(s) });
  },
  /** Boxes of dx: [batch·height·width, inChannels]. */
  input(s: ConvSizes): Bounds[] {
    const k = (s.kernelHeight * s.kernelWidth * s.outChannels) / s.groups;
    return placeBoxes({ batch: s.batch, places: s.height * s.width, n: s.inChannels, k });
  },
  /**
   * Boxes of dw: [outChannels, kernelHeight·kernelWidth·inChannels/groups]. The positions, which are summed, are never
   * divided.
   */
  weights(s: ConvSizes): Bounds[] {
    const [h, w] = convPlaces(s);
    return gemmBoxes({ m: s.outChannels, n: taps(s), k: s.batch * h * w });
  },
} as const;

/** The number of weights of one channel of the result. */
const taps = (s: ConvSizes) => (s.kernelHeight * s.kernelWidth * s.inChannels) / s.groups;

/** Divides poolings. */
export const poolRanges = {
  /** Chunks of rows of the result. Each reads all pixels of its windows. */
  places(s: PoolSizes): Bounds[] {
    const [h, w] = poolPlaces(s);
    return ranges(s.batch * h, w * s.channels * Math.max(1, s.kernelHeight * s.kernelWidth), GRAIN);
  },
  /** Chunks of rows of the map. */
  rows: (s: PoolSizes): Bounds[] => ranges(s.batch * s.height, s.width * s.channels, GRAIN),
  /** Chunks of whole pictures. */
  pictures: (s: PoolSizes): Bounds[] => ranges(s.batch, s.height * s.width * s.channels, GRAIN),
} as const;

/** Divides a batch between its products. */
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

/** Divides attention between heads of pictures. */
export function attentionRanges(record: {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  dim: number;
  valueDim: number;
}): Bounds[] {
  const { batch, heads, queries, keys, dim, valueDim } = record;
  return ranges(batch * heads, queries * keys * (dim + valueDim), GEMM_GRAIN);
}

/** Whether each product of a batch is large enough to be divided itself. */
export function isLargeGemm({ m, n, k }: { m: number; n: number; k: number }): boolean {
  return m * n * k >= 10 * GEMM_GRAIN;
}

/** Divides [outer, m, inner] into boxes [o0, o1, i0, i1). Sums over m stay in one box, and so in order. */
export function scatterBoxes({ outer, m, inner }: { outer: number; m: number; inner: number }): Bounds[] {
  if (outer > 1) return ranges(outer, m * inner, GRAIN).map((range) => [...range, 0, inner]);
  return ranges(inner, 1, Math.max(GROUP, GRAIN / Math.max(1, m))).map((range) => [0, outer, ...range]);
}

/** [0, n) in at most `parts` ranges. They are as even as multiples of `unit` allow. */
export function even(n: number, parts: number, unit: number): [number, number][] {
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
