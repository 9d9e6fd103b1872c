/**
 * How a kernel's work is cut into pieces for the threads. The cut depends on the work's size alone, never on the
 * number of threads; small work is one piece, which stays on the caller.
 *
 * Break-even: handing a job over and waiting for it costs a few microseconds, so that a piece is to take at
 * least some five: GRAIN elements of a function that is bound by memory, a quarter of that where an element
 * costs more, half a million multiply-adds of a GEMM (README, "Every core, and every bit").
 */
import { MAX_PIECES } from './control.ts';

/** Elements of a piece: of a function of some 0.3 ns an element, and of a dearer one. */
const GRAIN = 16384;
const DEAR_GRAIN = 4096;
const DEAR = new Set([
  'exp',
  'log',
  'sigmoid',
  'tanh',
  'silu',
  'pow',
  'siluBackward',
  'gaussian',
  'uniform',
  'adam',
]);
/** Pieces begin at multiples of 16 elements: a group of random numbers, a cache line. */
const ALIGNMENT = 16;

/**
 * Cuts `n` items of `size` elements each into ranges [from, to).
 * A range begins at a multiple of 16 items where items are single elements.
 */
export function cut(kernel: string, n: number, size = 1): [number, number][] {
  const grain = Math.max((DEAR.has(kernel) ? DEAR_GRAIN : GRAIN) / Math.max(1, size), n / MAX_PIECES);
  const step = size === 1 ? Math.ceil(grain / ALIGNMENT) * ALIGNMENT : Math.max(1, Math.ceil(grain));
  if (n < 2 * step) return [[0, n]];
  const pieces: [number, number][] = [];
  for (let from = 0; from < n; from += step) pieces.push([from, Math.min(n, from + step)]);
  return pieces;
}

/** Path updates below which a batch is one piece, and the most paths of a piece: a chunk of assembly/sde.ts. */
const PATH_GRAIN = 16384;
const PATHS = 1024;

/** Cuts n paths of `steps` steps each; a range begins at a multiple of 16 paths. */
export function pathPieces(n: number, steps: number): [number, number][] {
  if (n * steps < PATH_GRAIN) return [[0, n]];
  const step = PATHS * Math.ceil(n / PATHS / MAX_PIECES);
  return Array.from({ length: Math.ceil(n / step) }, (_, i) => [i * step, Math.min(n, (i + 1) * step)]);
}

/** Multiply-adds below which a GEMM is not cut, and the least in a piece. */
const GEMM_GRAIN = 500_000;
/** Cuts along rows and columns are at multiples of these, whole tiles of either build. */
const ROWS = 12;
const COLUMNS = 8;

/**
 * Cuts C[m,n] into boxes [m0, m1, n0, n1): along its longer side first, since a piece packs the whole of the
 * operand along the other; both ways where the work is large.
 */
export function gemmPieces(m: number, n: number, k: number): [number, number, number, number][] {
  const wanted = Math.min(MAX_PIECES, Math.floor((m * n * k) / GEMM_GRAIN));
  if (wanted < 2) return [[0, m, 0, n]];
  // Four pieces along a side balance two or four threads; where the work is large, sixteen in all.
  const long = Math.min(wanted, 4);
  const short = Math.min(Math.floor(wanted / long), Math.min(m, n) >= 256 ? 4 : 1);
  const rows = even(m, m >= n ? long : short, ROWS);
  const columns = even(n, m >= n ? short : long, COLUMNS);
  return rows.flatMap(([m0, m1]) =>
    columns.map(([n0, n1]): [number, number, number, number] => [m0, m1, n0, n1]),
  );
}

/** [0, n) in at most `parts` ranges as even as multiples of `unit` allow. */
function even(n: number, parts: number, unit: number): [number, number][] {
  const units = Math.ceil(n / unit);
  const ranges: [number, number][] = [];
  for (let i = 0; i < parts; i++) {
    const from = Math.floor((i * units) / parts) * unit;
    const to = Math.min(n, Math.floor(((i + 1) * units) / parts) * unit);
    if (to > from) ranges.push([from, to]);
  }
  return ranges;
}
