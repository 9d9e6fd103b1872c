/**
 * The gradients of attention, with p and s as in attention.ts:
 *
 *     dv = pᵀ·dy      dp = dy·vᵀ      ds = p∘(dp - Σ dp∘p over the keys)      dq = scale·ds·k      dk = scale·dsᵀ·q
 *
 * p is computed again, because storing it would take more memory than all other arrays. The lanes are queries, as in
 * the forward pass. dk and dv are sums over queries. So p and ds are transposed to panels [queries][4 keys] when they
 * are computed. The panels hold at most QUERY_CHUNK queries. The gradients of further queries are added.
 *
 * Order of summation: dq over ascending keys; dk and dv over ascending queries, in chunks of QUERY_CHUNK.
 */
import { put1, put4 } from '../elementwise/put';
import { storeColumns4 } from '../gemm/pack';
import { AttentionBackwardRecord } from '../records';
import { workspaceOf } from '../scratch';
import { bytesOf, headAt, packRows, padded } from './attention';
import { packLanes, packStrips, storeLanes } from './pack';
import { factorOf, keysOf, prepare, softmaxBlock } from './scores';
import { NARROW, ROWS, rowsOf, tiles, WIDE } from './tile';

/** The number of queries whose probabilities are stored at a time. */
const QUERY_CHUNK: i32 = 256;

/** The addresses of the arrays in a thread's workspace. */
@unmanaged
class Space {
  /** Panels [dim][4] and [keys][4] of k, and [valueDim][4] of v. */
  k: usize;
  kStrips: usize;
  v: usize;
  /** Panels [chunk][8] of scale·q and of dy. */
  qStrips: usize;
  dyStrips: usize;
  /** Panels [chunk][4 keys] of p and ds, and the bytes of one panel. */
  p: usize;
  ds: usize;
  panel: usize;
  /** A block of queries, dy, scores and their gradients; dq; a mask. */
  block: usize;
  scores: usize;
  gradients: usize;
  result: usize;
  mask: usize;
  /** A number for each lane: 1/Σ e, scale, 1. */
  inverse: usize;
  /** Room for a 4x8 tile that extends beyond its array, and for lanes that do not exist. */
  edge: usize;
  nowhere: usize;
}

/** Divides a workspace into arrays. The description is at its start. */
function spaceOf(r: AttentionBackwardRecord): Space {
  const at = workspaceOf(r.workspace, r.workspaceBytes);
  const s = changetype<Space>(at);
  const n = padded(r.keys);
  const chunk = padded(min(r.queries, QUERY_CHUNK));
  const d = padded(r.dim);
  const v = padded(r.valueDim);
  s.k = at + ((offsetof<Space>() + 63) & ~63);
  s.kStrips = s.k + bytesOf(n, r.dim);
  s.v = s.kStrips + bytesOf(r.keys, d);
  s.qStrips = s.v + bytesOf(n, r.valueDim);
  s.dyStrips = s.qStrips + bytesOf(chunk, (r.dim + 7) & ~7);
  s.p = s.dyStrips + bytesOf(chunk, (r.valueDim + 7) & ~7);
  s.ds = s.p + bytesOf(chunk, n);
  s.panel = bytesOf(chunk, ROWS);
  s.block = s.ds + bytesOf(chunk, n);
  s.scores = s.block + bytesOf(max(d, v), WIDE);
  s.gradients = s.scores + bytesOf(n, WIDE);
  s.result = s.gradients + bytesOf(n, WIDE);
  s.mask = s.result + bytesOf(d, WIDE);
  s.inverse = s.mask + bytesOf(n, WIDE);
  s.edge = s.inverse + bytesOf(3, WIDE);
  s.nowhere = s.edge + bytesOf(ROWS, WIDE);
  const scale = f32x4.splat(r.scale);
  v128.store(s.inverse, scale, 32);
  v128.store(s.inverse, scale, 48);
  v128.store(s.inverse, f32x4.splat(1), 64);
  v128.store(s.inverse, f32x4.splat(1), 80);
  return s;
}

/** Σ e∘dp over the keys of four lanes, multiplied by 1/Σ e. */
// @ts-ignore: decorator
@inline
function weighted(keys: i32, step: usize, e: usize, dp: usize, inverse: v128): v128 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  const even = e + <usize>(keys & ~1) * step;
  for (; e < even; e += step << 1, dp += step << 1) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(e), v128.load(dp)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(e + step), v128.load(dp + step)));
  }
  if (keys & 1) s0 = f32x4.add(s0, f32x4.mul(v128.load(e), v128.load(dp)));
  return f32x4.mul(f32x4.add(s0, s1), inverse);
}

/** For four lanes: replaces dp by ds, and writes four rows of each panel of p and ds. */
// @ts-ignore: decorator
@inline
function gradientLanes(
  keys: i32,
  step: usize,
  e: usize,
  dp: usize,
  inverse: v128,
  p: usize,
  ds: usize,
  panel: usize,
): void {
  const mean = weighted(keys, step, e, dp, inverse);
  for (const end = e + <usize>padded(keys) * step; e < end; e += step << 2, dp += step << 2) {
    const p0 = f32x4.mul(v128.load(e), inverse);
    const p1 = f32x4.mul(v128.load(e + step), inverse);
    const p2 = f32x4.mul(v128.load(e + (step << 1)), inverse);
    const p3 = f32x4.mul(v128.load(e + 3 * step), inverse);
    storeColumns4(p0, p1, p2, p3, p, 16);
    p += panel;
    const d0 = f32x4.mul(p0, f32x4.sub(v128.load(dp), mean));
    const d1 = f32x4.mul(p1, f32x4.sub(v128.load(dp + step), mean));
    const d2 = f32x4.mul(p2, f32x4.sub(v128.load(dp + (step << 1)), mean));
    const d3 = f32x4.mul(p3, f32x4.sub(v128.load(dp + 3 * step), mean));
    v128.store(dp, d0);
    v128.store(dp + step, d1);
    v128.store(dp + (step << 1), d2);
    v128.store(dp + 3 * step, d3);
    storeColumns4(d0, d1, d2, d3, ds, 16);
    ds += panel;
  }
}

/** Writes zeros to the panels of the keys from `key` on. With a causal mask, this block does not use those keys. */
function clearPanels(s: Space, key: i32, keys: i32, at: usize, bytes: usize): void {
  for (let i = key; i < keys; i += ROWS) {
    const panel = <usize>(i / ROWS) * s.panel + at;
    memory.fill(s.p + panel, 0, bytes);
    memory.fill(s.ds + panel, 0, bytes);
  }
}

/** The queries [q, q + width) of a head, of which `valid` exist. Writes p and ds to their panels, and dq. */
// @ts-ignore: decorator
@inline
function block(width: i32, r: AttentionBackwardRecord, s: Space, item: i32, q: i32, valid: i32): void {
  const n = keysOf(r, q, width);
  const count = padded(n) / ROWS;
  const step = (<usize>width) << 2;
  const dyRow = r.heads * r.valueDim;
  const rows = headAt(r.q, item, r.heads, r.queries, r.qRow, r.dim) + bytesOf(q, r.qRow);
  packLanes(width, valid, r.dim, rows, (<usize>r.qRow) << 2, s.block);
  rowsOf(width, n, r.dim, s.k, s.block, s.scores);
  prepare(width, r, item, q, valid, n, s.scores, s.mask);
  softmaxBlock(width, n, factorOf(r), s.scores, s.inverse);

  const dy = headAt(r.dy, item, r.heads, r.queries, dyRow, r.valueDim) + bytesOf(q, dyRow);
  packLanes(width, valid, r.valueDim, dy, (<usize>dyRow) << 2, s.block);
  rowsOf(width, n, r.valueDim, s.v, s.block, s.gradients);
  const at = bytesOf(q % QUERY_CHUNK, ROWS);
  for (let lanes: usize = 0; lanes < step; lanes += 16) {
    const to = at + (lanes << 2);
    const inverse = v128.load(s.inverse + lanes);
    gradientLanes(n, step, s.scores + lanes, s.gradients + lanes, inverse, s.p + to, s.ds + to, s.panel);
  }
  if (r.causal) clearPanels(s, count * ROWS, r.keys, at, step << 2);

  if (r.dq) {
    const out = headAt(r.dq, item, r.heads, r.queries, r.dqRow, r.dim) + bytesOf(q, r.dqRow);
    tiles(width, padded(r.dim) / ROWS, n, s.kStrips, bytesOf(r.keys - n, ROWS), s.gradients, s.result, step, false);
    storeLanes(
      width,
      valid,
      r.dim,
      s.result,
      s.inverse + 32,
      out,
      (<usize>r.dqRow) << 2,
      r.dqAccumulate != 0,
      s.nowhere,
    );
  }
  if (r.ds) {
    const out = r.ds + bytesOf(item * r.queries + q, r.keys);
    if (r.causal) memory.fill(out, 0, bytesOf(valid, r.keys));
    storeLanes(width, valid, n, s.gradients, s.inverse + 64, out, bytesOf(r.keys, 1), false, s.nowhere);
  }
}

/**
 * out[rows, dims] = [out +] a·b with panels [kc][4] of A, each followed by a gap of `skip` bytes, and panels [kc][8] of
 * B.
 */
function product(
  rows: i32,
  dims: i32,
  kc: i32,
  a: usize,
  skip: usize,
  b: usize,
  out: usize,
  ld: usize,
  accumulate: bool,
  edge: usize,
): void {
  const panel = bytesOf(kc, ROWS) + skip;
  for (let c = 0; c < dims; c += WIDE, b += bytesOf(kc, WIDE)) {
    const cols = min(WIDE, dims - c);
    const whole = cols == WIDE ? rows / ROWS : 0;
    let to = out + bytesOf(c, 1);
    tiles(WIDE, whole, kc, a, skip, b, to, ld, accumulate);
    to += <usize>(whole * ROWS) * ld;
    for (let i = whole * ROWS; i < rows; i += ROWS) {
      tiles(WIDE, 1, kc, a + <usize>(i / ROWS) * panel, 0, b, edge, 32, false);
      for (let row = 0; row < min(ROWS, rows - i); ++row, to += ld) {
        const from = edge + bytesOf(row, WIDE);
        let at: usize = 0;
        for (; at + 16 <= bytesOf(cols, 1); at += 16) put4(to + at, v128.load(from + at), accumulate);
        for (; at < bytesOf(cols, 1); at += 4) put1(to + at, v128.load32_splat(from + at), accumulate);
      }
    }
  }
}

export function attentionBackward(from: i32, to: i32, r: AttentionBackwardRecord): void {
  const s = spaceOf(r);
  const n = r.keys;
  const d = r.dim;
  const v = r.valueDim;
  const dyRow = r.heads * v;
  for (let item = from; item < to; ++item) {
    const k = headAt(r.k, item, r.heads, n, r.kRow, d);
    packRows(n, d, k, (<usize>r.kRow) << 2, s.k);
    packStrips(ROWS, n, d, k, (<usize>r.kRow) << 2, 1, s.kStrips);
    packRows(n, v, headAt(r.v, item, r.heads, n, r.vRow, v), (<usize>r.vRow) << 2, s.v);
    for (let q0 = 0; q0 < max(1, r.queries); q0 += QUERY_CHUNK) {
      const q1 = min(q0 + QUERY_CHUNK, r.queries);
      const kc = q1 - q0;
      let q = q0;
      for (; q + NARROW < q1; q += WIDE) block(WIDE, r, s, item, q, min(WIDE, q1 - q));
      if (q < q1) block(NARROW, r, s, item, q, q1 - q);
      const skip = s.panel - bytesOf(kc, ROWS);
      if (r.dk) {
        const rows = headAt(r.q, item, r.heads, r.queries, r.qRow, d) + bytesOf(q0, r.qRow);
        packStrips(WIDE, kc, d, rows, (<usize>r.qRow) << 2, r.scale, s.qStrips);
        const out = headAt(r.dk, item, r.heads, n, r.dkRow, d);
        product(n, d, kc, s.ds, skip, s.qStrips, out, (<usize>r.dkRow) << 2, q0 > 0 || r.dkAccumulate != 0, s.edge);
      }
      if (r.dv) {
        const rows = headAt(r.dy, item, r.heads, r.queries, dyRow, v) + bytesOf(q0, dyRow);
        packStrips(WIDE, kc, v, rows, (<usize>dyRow) << 2, 1, s.dyStrips);
        const out = headAt(r.dv, item, r.heads, n, r.dvRow, v);
        product(n, v, kc, s.p, skip, s.dyStrips, out, (<usize>r.dvRow) << 2, q0 > 0 || r.dvAccumulate != 0, s.edge);
      }
    }
  }
}
