/**
 * Scaled dot-product attention of each head of each picture, with queries q[m,dim], keys k[n,dim] and values
 * v[n,valueDim]:
 *
 *     s = scale·q·kᵀ, masked      p = e^(s - max s)/Σ      y = p·v
 *
 * A head is `dim` neighbouring channels of rows [tokens, heads·dim], so nothing is copied out. A mask is 0 where a key
 * is hidden from a query, or it is added to s. In causal attention query i uses the keys 0 to i.
 *
 * The kernel works on blocks of eight queries, and a lane is a query throughout. It computes sᵀ[n][8] = k·qᵀ, then the
 * softmax in place, then yᵀ[valueDim][8] = vᵀ·eᵀ. The division by the sums comes when y is stored. The result of one
 * product is the packed operand of the next, in the L1 cache. Keys and values are packed once for each head. If at most
 * four queries remain, the block has four. If a single query remains, as of 49, the lanes are keys and values
 * (single.ts).
 *
 * Order of summation: s over ascending channels, the sums and y over ascending keys. It depends only on the shape.
 * Accuracy: let E be the largest error of a score. E is dim·2^-24·Σ|q||k|·scale, plus 2^-24·|s| for the mask. Then the
 * error of y is at most (2·E + (n + 2·|s - max s| + 10)·2^-24)·Σ p·|v|. Source: Vaswani et al. (2017). Left out: blocks
 * of keys with a running maximum (flash attention). Up to a few hundred keys, a block of scores fits the L1 cache.
 *
 * The items of the work are heads of pictures.
 */
import { AttentionRecord } from '../records';
import { workspaceOf } from '../scratch';
import { packLanes, packStrips, storeLanes } from './pack';
import { single } from './single';
import { factorOf, isPlain, keysOf, prepare, softmaxBlock } from './scores';
import { NARROW, ROWS, rowsOf, tiles, WIDE } from './tile';

/** n, rounded up to whole tiles. */
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

/** The address of the head's first row in rows [tokens, heads·dim] with a stride of `row` elements. */
// @ts-ignore: decorator
@inline
export function headAt(ptr: usize, item: i32, heads: i32, tokens: i32, row: i32, dim: i32): usize {
  return ptr + bytesOf((item / heads) * tokens, row) + bytesOf(item % heads, dim);
}

/** Panels [dims][4] of all rows. A lane is a row, and `rows` is rounded up to whole panels. */
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
