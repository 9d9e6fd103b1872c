/**
 * C[m,n] = [C +] op(A)·op(B) [+ bias], then an activation, float32, row-major and dense.
 * op(A) is [m,k], stored [m,k] or, where `aT`, [k,m]; op(B) is [k,n], stored [k,n] or, where `bT`, [n,k].
 *
 * Three layers: blocks over m and k that fit the L2 cache, panels packed in the micro-kernel's order
 * (gemm-pack.ts), and the register tile (gemm-4x8.ts). A block of A is packed once and used for all of n; a
 * panel of B is packed just before use and stays in L1 while all of A's panels pass over it.
 *
 * Order of summation: k is cut into equal blocks of at most KC, a function of k alone; within a block each
 * element is summed in ascending k, and blocks are added in ascending order. It does not depend on m, n, or
 * on which part of C a caller asks for, so that threads may share the work without changing a bit.
 *
 * Accuracy: |error| <= (k + 2)·2^-24·Σ|a||b|, the textbook bound.
 * Source: Goto and van de Geijn (2008); Van Zee and van de Geijn, BLIS (2015).
 */
import { activation4 } from './activation';
import { MR, NR, tile } from './gemm-4x8';
import { packPanel } from './gemm-pack';

/** Steps of k a block: a packed panel of B is KC·NR·4 = 13 KiB, well inside L1. */
const KC: i32 = 400;
/** Floats of a packed block of A: 375 KiB, well inside L2. A short k leaves room for more rows. */
const BLOCK: i32 = 240 * KC;

/** Bytes of scratch memory that a call needs: packed A, a packed panel of B, and one edge tile. */
export function gemmScratchBytes(): i32 {
  return (BLOCK + KC * NR + MR * NR) << 2;
}

/**
 * Computes rows [m0, m1) and columns [n0, n1) of C. `bias` is the address of n values added to every row, or
 * 0; `activate` a code of activation.ts.
 */
export function gemm(
  m0: i32,
  m1: i32,
  n0: i32,
  n1: i32,
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aT: bool,
  b: usize,
  bT: bool,
  c: usize,
  accumulate: bool,
  bias: usize,
  activate: i32,
  scratch: usize,
): void {
  const packedA = scratch;
  const packedB = packedA + (BLOCK << 2);
  const edge = packedB + ((KC * NR) << 2);
  const lda = (<usize>(aT ? m : k)) << 2;
  const ldb = (<usize>(bT ? k : n)) << 2;
  const ldc = (<usize>n) << 2;
  const blocks = k > 0 ? (k + KC - 1) / KC : 1;
  const kBlock = (k + blocks - 1) / blocks;
  const mBlock = (BLOCK / max(kBlock, 8) / MR) * MR;

  for (let i0 = m0; i0 < m1; i0 += mBlock) {
    const i1 = min(i0 + mBlock, m1);
    for (let block = 0; block < blocks; ++block) {
      const p0 = block * kBlock;
      const kc = min(kBlock, k - p0);
      const first = block == 0;
      const last = block == blocks - 1;
      const add = accumulate || !first;
      const biasNow: usize = last ? bias : 0;
      const activateNow = last ? activate : 0;

      let panel = packedA;
      for (let i = i0; i < i1; i += MR) {
        const src = aT ? a + p0 * lda + (i << 2) : a + i * lda + (p0 << 2);
        packPanel(MR, min(MR, i1 - i), kc, src, lda, aT, panel);
        panel += (kc * MR) << 2;
      }
      for (let j = n0; j < n1; j += NR) {
        const cols = min(NR, n1 - j);
        const src = bT ? b + j * ldb + (p0 << 2) : b + p0 * ldb + (j << 2);
        packPanel(NR, cols, kc, src, ldb, !bT, packedB);
        const biasAt: usize = biasNow ? biasNow + (j << 2) : 0;
        panel = packedA;
        let out = c + i0 * ldc + (j << 2);
        for (let i = i0; i < i1; i += MR) {
          const rows = min(MR, i1 - i);
          if (rows == MR && cols == NR) {
            tile(kc, panel, packedB, out, ldc, add, biasAt, activateNow);
          } else {
            tile(kc, panel, packedB, edge, NR << 2, false, 0, 0);
            storeEdge(rows, cols, edge, out, ldc, add, biasAt, activateNow);
          }
          panel += (kc * MR) << 2;
          out += MR * ldc;
        }
      }
    }
  }
}

/** Writes the valid part of an edge tile, element by element, with the same operations as a whole tile. */
function storeEdge(
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
      const at = c + (j << 2);
      let value = f32.load(edge + (j << 2));
      if (add) value = f32.load(at) + value;
      if (bias) value = value + f32.load(bias + (j << 2));
      f32.store(at, activate ? f32x4.extract_lane(activation4(activate, f32x4.splat(value)), 0) : value);
    }
    edge += NR << 2;
    c += ldc;
  }
}
