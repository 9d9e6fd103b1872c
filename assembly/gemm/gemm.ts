/**
 * C[m,n] = [C +] op(A)·op(B) [+ bias], then an activation. All arrays are float32, row-major and dense.
 * op(A) is [m,k]. A is stored [m,k], or [k,m] with `aT`. op(B) is [k,n]. B is [k,n], or [n,k] with `bT`.
 *
 * There are three layers: blocks over n and k that fit the L2 cache, panels packed in the micro-kernel's order
 * (pack.ts), and the register tile. The tile is tile-4x8.ts, or tile-6x8-fma.ts in the relaxed build. The builds do not
 * differ elsewhere. A block of B is packed once and used for all rows. A panel of A is packed just before use. It stays
 * in L1 while it is multiplied by the whole block. C is therefore written along its rows. Along columns, each
 * row would touch another page. For a short k, address translation would then cost more than the arithmetic.
 *
 * Order of summation: k is cut into equal blocks of at most KC steps. Within a block each element is summed in
 * ascending k, and blocks are added in ascending order. The order depends only on k, and not on m, n, or the part of C
 * that a caller requests. So threads can share the work, and all bits stay the same.
 *
 * Accuracy: |error| <= (k + 2)·2^-24·Σ|a||b|, the textbook bound. Source: Goto and van de Geijn (2008); Van Zee and van
 * de Geijn, BLIS (2015).
 */
import { activation4 } from '../elementwise/activation';
import { GemmBatchRecord, GemmRecord } from '../records';
import { scratch } from '../scratch';
import { BLOCK, EDGE, KC, MR, NR, PACKED_A } from './blocks';
import { packPanel } from './pack';
import * as plain from './tile-4x8';
import * as fused from './tile-6x8-fma';

/** Computes rows [m0, m1) and columns [n0, n1) of C. */
export function gemm(m0: i32, m1: i32, n0: i32, n1: i32, r: GemmRecord): void {
  product(m0, m1, n0, n1, r, r.a, r.b, r.out);
}

/** Computes the products [from, to) of a batch. */
export function gemmBatch(from: i32, to: i32, r: GemmBatchRecord): void {
  for (let i = from; i < to; ++i) {
    const a = r.a + ((<usize>i * r.aStep) << 2);
    const b = r.b + ((<usize>i * r.bStep) << 2);
    const c = r.out + ((<usize>i * r.outStep) << 2);
    product(0, r.m, 0, r.n, r, a, b, c);
  }
}

/** Rows [m0, m1) and columns [n0, n1) of C, with operands at a, b and c. All other fields are in the record. */
function product(m0: i32, m1: i32, n0: i32, n1: i32, r: GemmRecord, a: usize, b: usize, c: usize): void {
  const m = r.m;
  const n = r.n;
  const k = r.k;
  const bias = r.bias;
  const activate = r.activation;
  const aT = r.aT != 0;
  const bT = r.bT != 0;
  const accumulate = r.accumulate != 0;
  const lda = (<usize>(aT ? m : k)) << 2;
  const ldb = (<usize>(bT ? k : n)) << 2;
  const ldc = (<usize>n) << 2;
  const blocks = k > 0 ? (k + KC - 1) / KC : 1;
  const kBlock = (k + blocks - 1) / blocks;
  const nBlock = (BLOCK / max(kBlock, 8) / NR) * NR;

  for (let j0 = n0; j0 < n1; j0 += nBlock) {
    const columns = min(nBlock, n1 - j0);
    for (let block = 0; block < blocks; ++block) {
      const p0 = block * kBlock;
      const kc = min(kBlock, k - p0);
      const last = block == blocks - 1;
      const biasAt: usize = bias && last ? bias + (j0 << 2) : 0;

      for (let j = 0; j < columns; j += NR) {
        const src = bT ? b + (j0 + j) * ldb + (p0 << 2) : b + p0 * ldb + ((j0 + j) << 2);
        packPanel(NR, min(NR, columns - j), kc, src, ldb, !bT, scratch + ((j * kc) << 2));
      }
      const at = c + (j0 << 2);
      for (let i = m0; i < m1; i += MR) {
        const rows = min(MR, m1 - i);
        const src = aT ? a + p0 * lda + (i << 2) : a + i * lda + (p0 << 2);
        packPanel(MR, rows, kc, src, lda, aT, scratch + PACKED_A);
        multiply(rows, columns, kc, at + i * ldc, ldc, accumulate || block > 0, biasAt, last ? activate : 0);
      }
    }
  }
}

/**
 * out[rows, columns] = [out +] A·B [+ bias], then the activation. A is the packed panel and B the packed block in
 * scratch memory; rows <= MR.
 */
export function multiply(
  rows: i32,
  columns: i32,
  kc: i32,
  out: usize,
  ldc: usize,
  add: bool,
  bias: usize,
  activate: i32,
): void {
  const a = scratch + PACKED_A;
  const whole = rows == MR ? columns / NR : 0;
  if (whole > 0) tiles(whole, kc, a, scratch, out, ldc, add, bias, activate);
  for (let j = whole * NR; j < columns; j += NR) {
    tiles(1, kc, a, scratch + ((kc * j) << 2), scratch + EDGE, NR << 2, false, 0, 0);
    const at = j << 2;
    storeEdge(rows, min(NR, columns - j), scratch + EDGE, out + at, ldc, add, bias ? bias + at : 0, activate);
  }
}

// @ts-ignore: decorator
@inline
export function tiles(
  count: i32,
  kc: i32,
  a: usize,
  b: usize,
  c: usize,
  ldc: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) fused.tiles(count, kc, a, b, c, ldc, accumulate, bias, activate);
  else plain.tiles(count, kc, a, b, c, ldc, accumulate, bias, activate);
}

/** Writes the valid part of an edge tile, element by element. The operations are the same as for a whole tile. */
export function storeEdge(
  rows: i32,
  cols: i32,
  edge: usize,
  c: usize,
  ldc: usize,
  add: bool,
  bias: usize,
  activate: i32,
): void {
  for (let i = 0; i < rows; ++i) {
    for (let j = 0; j < cols; ++j) {
      storeElement(c + (j << 2), f32.load(edge + (j << 2)), add, bias ? bias + (j << 2) : 0, activate);
    }
    edge += NR << 2;
    c += ldc;
  }
}

/** Writes one element as a tile does: it adds the old value and the bias, and then applies the activation. */
// @ts-ignore: decorator
@inline
export function storeElement(at: usize, value: f32, add: bool, bias: usize, activate: i32): void {
  if (add) value = f32.load(at) + value;
  if (bias) value = value + f32.load(bias);
  f32.store(at, activate ? f32x4.extract_lane(activation4(activate, f32x4.splat(value)), 0) : value);
}

/** Writes four neighbouring elements as `storeElement` writes one. */
// @ts-ignore: decorator
@inline
export function storeFour(at: usize, sum: v128, add: bool, bias: usize, activate: i32): void {
  if (add) sum = f32x4.add(v128.load(at), sum);
  if (bias) sum = f32x4.add(sum, v128.load(bias));
  v128.store(at, sum);
  if (activate) storeActivated(at, activate);
}

function storeActivated(at: usize, activate: i32): void {
  v128.store(at, activation4(activate, v128.load(at)));
}
