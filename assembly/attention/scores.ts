/**
 * A block of scores [keys][width], where a lane is a query, and its softmax over the keys. No operation combines lanes:
 * the largest score and the sum are vectors over queries.
 *
 * The exponential is 2^x with x = (s - m)·factor, factor = scale·log2(e). It takes two thirds of the time of exp4.
 * Accuracy: the relative error of e is at most (4 + 2·|x|)·2^-24, and e is 0 below 2^-127. The sum is over ascending
 * keys.
 *
 * If all keys are masked for a query, its sum is 0. Its probabilities are then 0, as in PyTorch from 2.5 on.
 */
import { exponentials2 } from '../elementwise/exp';
import { AttentionSizes } from '../records';
import { packLanes } from './pack';
import { NARROW, ROWS } from './tile';

/** The kinds of mask: see AttentionSizes. */
export const MASK_WHERE: i32 = 1;
export const MASK_ADD: i32 = 2;

const LOG2E: f32 = 1.44269502;
/** The maximum of no elements. It is finite, so that no score minus it is NaN. */
export const LEAST: f32 = -3.40282347e38;

/** The factor of `softmaxBlock` for the scores after `prepare`. */
// @ts-ignore: decorator
@inline
export function factorOf(r: AttentionSizes): f32 {
  return isScaled(r) ? LOG2E : r.scale * LOG2E;
}

/** Whether `prepare` multiplies by the scale. Softmax subtracts a maximum first, so its factor must be positive. */
// @ts-ignore: decorator
@inline
function isScaled(r: AttentionSizes): bool {
  return r.maskKind == MASK_ADD || !(r.scale > 0);
}

/** Whether the scores are the products without a mask. */
// @ts-ignore: decorator
@inline
export function isPlain(r: AttentionSizes): bool {
  return r.maskKind == 0 && r.scale > 0;
}

/**
 * The number of keys that the queries [q, q + width) use. In causal attention they are the keys up to each query's own
 * position.
 */
// @ts-ignore: decorator
@inline
export function keysOf(r: AttentionSizes, q: i32, width: i32): i32 {
  return r.causal ? min(r.keys, q + width) : r.keys;
}

/** Masks the scores of `keys` keys and queries [q, q + width), of which `valid` exist. `space` holds as many elements. */
// @ts-ignore: decorator
@inline
export function prepare(
  width: i32,
  r: AttentionSizes,
  item: i32,
  q: i32,
  valid: i32,
  keys: i32,
  block: usize,
  space: usize,
): void {
  const step = (<usize>width) << 2;
  const end = block + <usize>keys * step;
  if (isScaled(r)) {
    const scale = f32x4.splat(r.scale);
    for (let at = block; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), scale));
  }
  if (r.maskKind) {
    const row = (item / r.heads) * r.maskBatch + (item % r.heads) * r.maskHead + q * r.maskRow;
    packLanes(width, valid, keys, r.mask + ((<usize>row) << 2), (<usize>r.maskRow) << 2, space);
    const add = r.maskKind == MASK_ADD;
    const hidden = f32x4.splat(-Infinity);
    const zero = f32x4.splat(0);
    for (let at = block; at < end; at += 16, space += 16) {
      const s = v128.load(at);
      const m = v128.load(space);
      v128.store(at, add ? f32x4.add(s, m) : v128.bitselect(s, hidden, f32x4.ne(m, zero)));
    }
  }
  if (r.causal) hideLater(width, q, (keys + ROWS - 1) & ~(ROWS - 1), block);
}

/** Hides the keys [q + 1, keys) that come after a lane's query. */
// @ts-ignore: decorator
@inline
function hideLater(width: i32, q: i32, keys: i32, block: usize): void {
  const hidden = f32x4.splat(-Infinity);
  const lanes = i32x4.add(i32x4.splat(q), i32x4(0, 1, 2, 3));
  for (let key = q + 1; key < keys; ++key) {
    const at = block + ((<usize>(key * width)) << 2);
    v128.store(at, v128.bitselect(hidden, v128.load(at), i32x4.lt_s(lanes, i32x4.splat(key))));
    if (width > NARROW) {
      const next = i32x4.add(lanes, i32x4.splat(4));
      v128.store(at, v128.bitselect(hidden, v128.load(at, 16), i32x4.lt_s(next, i32x4.splat(key))), 16);
    }
  }
}

/** 1/s, or 0 if no key was used. */
// @ts-ignore: decorator
@inline
function reciprocal(s: v128): v128 {
  const zero = f32x4.splat(0);
  return v128.bitselect(zero, f32x4.div(f32x4.splat(1), s), f32x4.eq(s, zero));
}

/** Replaces the scores by exponentials, and writes the reciprocals of their sums to `inverse` [width]. */
// @ts-ignore: decorator
@inline
export function softmaxBlock(width: i32, keys: i32, factor: f32, block: usize, inverse: usize): void {
  const step = (<usize>width) << 2;
  const end = block + <usize>keys * step;
  // Two neighbouring keys have separate maxima, because pmax waits for its last result.
  let m0 = f32x4.splat(LEAST);
  let m1 = m0;
  let n0 = m0;
  let n1 = m0;
  const even = block + <usize>(keys & ~1) * step;
  let at = block;
  for (; at < even; at += step << 1) {
    m0 = f32x4.pmax(m0, v128.load(at));
    if (width > NARROW) m1 = f32x4.pmax(m1, v128.load(at, 16));
    n0 = f32x4.pmax(n0, v128.load(at + step));
    if (width > NARROW) n1 = f32x4.pmax(n1, v128.load(at + step, 16));
  }
  if (at < end) {
    m0 = f32x4.pmax(m0, v128.load(at));
    if (width > NARROW) m1 = f32x4.pmax(m1, v128.load(at, 16));
  }
  m0 = f32x4.pmax(m0, n0);
  if (width > NARROW) m1 = f32x4.pmax(m1, n1);

  const f = f32x4.splat(factor);
  v128.store(inverse, reciprocal(exponentials2(keys, step, block, m0, f)));
  if (width > NARROW) v128.store(inverse, reciprocal(exponentials2(keys, step, block + 16, m1, f)), 16);
}
