/**
 * Scaled dot-product attention of each head of each picture: with queries q[m,dim], keys k[n,dim] and values
 * v[n,valueDim]
 *
 *     s = scale·q·kᵀ, masked      p = e^(s - max s)/Σ      y = p·v
 *
 * A head is `dim` neighbouring channels of rows [tokens, heads·dim]: nothing is copied out. A mask is 0 where a key is
 * hidden from a query, or is added to s; in causal attention query i sees the keys 0 to i.
 *
 * The work goes over blocks of eight queries, which are lanes throughout: sᵀ[n][8] = k·qᵀ, its softmax in place, and
 * yᵀ[valueDim][8] = vᵀ·eᵀ, divided by the sums when it is stored. What one product writes is the packed operand of the
 * next, in the L1 cache. Keys and values are packed once a head. Where four queries or fewer remain, a block has four; one
 * alone, as of 49, has keys and values as lanes (single.ts).
 *
 * Order of summation: s over ascending channels, the sums and y over ascending keys. It follows from the shape alone.
 * Accuracy: with E the largest error of a score, dim·2^-24·Σ|q||k|·scale and 2^-24·|s| more for the mask, y is good to
 * (2·E + (n + 2·|s - max s| + 10)·2^-24)·Σ p·|v|.
 * Source: Vaswani et al. (2017). Left out: blocks of keys with a running maximum (flash attention). Up to a few hundred
 * keys a block of scores fits the L1 cache.
 *
 * The items of the work are heads of pictures.
 */
import { AttentionRecord } from '../records';
import { workspaceOf } from '../scratch';
import { packLanes, packStrips, storeLanes } from './pack';
import { single } from './single';
import { factorOf, isPlain, keysOf, prepare, softmaxBlock } from './scores';
import { NARROW, ROWS, rowsOf, tiles, WIDE } from './tile';

/** n in whole tiles. */
// @ts-ignore: decorator
@inline
export function padded(n: i32): i32 {
  return (n + ROWS - 1) & ~(ROWS - 1);
}

/** Bytes of rows·cols elements. */
// @ts-ignore: decorator
@inline
export function bytesOf(rows: i32, cols: i32): usize {
  return (<usize>rows * cols) << 2;
}

/** Address of the head's first row in rows [tokens, heads·dim] that are `row` elements apart. */
// @ts-ignore: decorator
@inline
export function headAt(ptr: usize, item: i32, heads: i32, tokens: i32, row: i32, dim: i32): usize {
  return ptr + bytesOf((item / heads) * tokens, row) + bytesOf(item % heads, dim);
}

/** Panels [dims][4] of all rows, a row a lane: `rows` is rounded up to whole panels. */
export function packRows(rows: i32, dims: i32, src: usize, ld: usize, dst: usize): void {
  for (let i = 0; i < rows; i += ROWS) {
    packLanes(NARROW, min(ROWS, rows - i), dims, src, ld, dst);
    src += ld << 2;
    dst += bytesOf(dims, ROWS);
  }
}

/** The queries [q, q + width) of a head, of which `valid` exist. */
// @ts-ignore: decorator
@inline
function block(
  width: i32,
  r: AttentionRecord,
  item: i32,
  q: i32,
  valid: i32,
  rows: usize,
  out: usize,
  packedK: usize,
  packedV: usize,
  space: usize,
): void {
  const n = keysOf(r, q, width);
  const step = (<usize>width) << 2;
  const size = padded(r.valueDim);
  const scores = space + bytesOf(r.dim, WIDE);
  const result = scores + bytesOf(padded(r.keys), WIDE);
  const inverse = result + bytesOf(size, WIDE);
  const nowhere = inverse + 32;
  packLanes(width, valid, r.dim, rows, (<usize>r.qRow) << 2, space);
  rowsOf(width, n, r.dim, packedK, space, scores);
  prepare(width, r, item, q, valid, n, scores, nowhere + bytesOf(size, 1));
  softmaxBlock(width, n, factorOf(r), scores, inverse);
  tiles(width, size / ROWS, n, packedV, bytesOf(r.keys - n, ROWS), scores, result, step, false);
  storeLanes(width, valid, r.valueDim, result, inverse, out, bytesOf(r.heads, r.valueDim), false, nowhere);
}

export function attention(from: i32, to: i32, r: AttentionRecord): void {
  const n = r.keys;
  const outRow = r.heads * r.valueDim;
  const packedK = workspaceOf(r.workspace, r.workspaceBytes);
  const packedV = packedK + bytesOf(padded(n), r.dim);
  const space = packedV + bytesOf(n, padded(r.valueDim));
  for (let item = from; item < to; ++item) {
    let q = headAt(r.q, item, r.heads, r.queries, r.qRow, r.dim);
    let out = headAt(r.out, item, r.heads, r.queries, outRow, r.valueDim);
    packRows(n, r.dim, headAt(r.k, item, r.heads, n, r.kRow, r.dim), (<usize>r.kRow) << 2, packedK);
    const v = headAt(r.v, item, r.heads, n, r.vRow, r.valueDim);
    packStrips(ROWS, n, r.valueDim, v, (<usize>r.vRow) << 2, 1, packedV);
    let i = 0;
    for (; i + NARROW < r.queries; i += WIDE) {
      block(WIDE, r, item, i, min(WIDE, r.queries - i), q, out, packedK, packedV, space);
      q += bytesOf(WIDE, r.qRow);
      out += bytesOf(WIDE, outRow);
    }
    if (i + 1 == r.queries && isPlain(r)) single(r, keysOf(r, i, 1), q, out, packedK, packedV, space);
    else if (i < r.queries) block(NARROW, r, item, i, r.queries - i, q, out, packedK, packedV, space);
  }
}
