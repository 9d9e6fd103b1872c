/**
 * Euler and Maruyama's scheme for equations with drift and diffusion affine in the state. One call computes all steps
 * of a batch of paths: x' = x + (A0 + A1·x) + (B0 + B1·x)·z with z standard normal. The caller gives the four
 * coefficients of each step (a0·dt, a1·dt, b0·√dt, b1·√dt). Noise is made where it is used, and never stored.
 *
 * The normal of path p in step k is element p of the random array that begins at block k·`stepBlocks`
 * (random/gaussian.ts). So the noise does not depend on how paths are divided into calls. A chunk of paths takes all
 * its steps before the next chunk begins. So the states that are read are in L1, and each state is written once.
 */
import { boxMuller } from './random/gaussian';
import { philox4, schedule } from './random/philox';
import { AffinePathRecord } from './records';
import { group as last, keys, scratch } from './scratch';

/** The paths of a chunk: 4 KiB for each row. */
const CHUNK: i32 = 1024;
const GROUP: i32 = 16;

/** x' of four paths from x and z. Additive noise (B1 = 0) needs one product and one sum less. */
// @ts-ignore: decorator
@inline
function next4(x: v128, z: v128, a0: v128, a1: v128, b0: v128, b1: v128, additive: bool): v128 {
  const drift = f32x4.add(a0, f32x4.mul(a1, x));
  const noise = f32x4.mul(additive ? b0 : f32x4.add(b0, f32x4.mul(b1, x)), z);
  return f32x4.add(f32x4.add(x, drift), noise);
}

/** Computes the states at `to` from those at `from`, with the normals from `z` to `end`, in whole groups of sixteen. */
// @ts-ignore: decorator
@inline
function move(from: usize, to: usize, z: usize, end: usize, at: usize, additive: bool): void {
  const a0 = v128.load32_splat(at);
  const a1 = v128.load32_splat(at, 4);
  const b0 = v128.load32_splat(at, 8);
  const b1 = v128.load32_splat(at, 12);
  for (; z < end; z += 64, from += 64, to += 64) {
    v128.store(to, next4(v128.load(from), v128.load(z), a0, a1, b0, b1, additive));
    v128.store(to, next4(v128.load(from, 16), v128.load(z, 16), a0, a1, b0, b1, additive), 16);
    v128.store(to, next4(v128.load(from, 32), v128.load(z, 32), a0, a1, b0, b1, additive), 32);
    v128.store(to, next4(v128.load(from, 48), v128.load(z, 48), a0, a1, b0, b1, additive), 48);
  }
}

/**
 * One step of `n` whole groups, starting at block `block` of the stream. `words` is 4·n bytes of scratch memory, or
 * `to` itself.
 */
// @ts-ignore: decorator
@inline
function stepChunk(n: i32, from: usize, to: usize, words: usize, at: usize, stream: u64, block: u64): void {
  // There are separate loops over data that stays in L1. Fused into one loop, the iterations would be one long chain.
  const end = words + (n << 2);
  for (let w = words; w < end; w += GROUP << 2, block += 4) philox4(keys(), stream, block, w);
  for (let w = words; w < end; w += 32) boxMuller(w);
  if (f32.load(at, 12) == 0) move(from, to, words, end, at, true);
  else move(from, to, words, end, at, false);
}

/**
 * One step of the last n < 16 paths of a row, through scratch memory, so that memory behind the row does not change.
 */
function stepRest(n: i32, from: usize, to: usize, at: usize, stream: u64, block: u64): void {
  const z = last();
  philox4(keys(), stream, block, z);
  boxMuller(z);
  boxMuller(z + 32);
  // This reads memory behind the row, which belongs to the same or the next row. The result of it is not kept.
  if (f32.load(at, 12) == 0) move(from, z, z, z + 64, at, true);
  else move(from, z, z, z + 64, at, false);
  memory.copy(to, z, (<usize>n) << 2);
}

/**
 * All steps of the paths [from, to) from the states at `x`. `from` is a multiple of a group.
 *
 * State k + 1 is written to out + k·row elements. With row 0 only the last state is stored, at `out`. `x` and `out`
 * must hold whole groups of sixteen paths, or be rows of a larger array.
 */
export function affinePath(from: i32, to: i32, r: AffinePathRecord): void {
  schedule(r.seed, keys());
  const stream = r.stream;
  const stepBlocks = r.stepBlocks;
  const rowBytes = (<usize>r.row) << 2;
  const coefficients = r.coefficients;
  const end = coefficients + ((<usize>r.steps) << 4);
  let n = to - from;
  let x = r.x + (from << 2);
  let out = r.out + (from << 2);
  let block = <u64>(from >> 2);
  while (n >= GROUP) {
    const chunk = min(n, CHUNK) & ~(GROUP - 1);
    let state = x;
    let next = out;
    let at = block;
    for (let c = coefficients; c < end; c += 16, at += stepBlocks) {
      stepChunk(chunk, state, next, rowBytes ? next : scratch, c, stream, at);
      state = next;
      next += rowBytes;
    }
    n -= chunk;
    x += chunk << 2;
    out += chunk << 2;
    block += chunk >> 2;
  }
  if (n > 0) {
    let state = x;
    let next = out;
    for (let c = coefficients; c < end; c += 16, block += stepBlocks) {
      stepRest(n, state, next, c, stream, block);
      state = next;
      next += rowBytes;
    }
  }
}
