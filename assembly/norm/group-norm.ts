/**
 * Group normalisation of x[batch, positions, channels] and its gradient, optionally with SiLU in the same pass:
 *
 *     x̂ = (x - mean)·rstd,   z = x̂·weight + bias,   y = z or z·sigmoid(z)
 *
 * The mean, and rstd = 1/√(variance + eps), are those of a group: channels/groups neighbouring channels at all
 * positions of one picture. In the backward pass, with dz = dy·y'(z) and N elements in a group:
 *
 *     dbias = Σ dz,   dweight = Σ dz·x̂   over pictures and positions
 *     dx = rstd·(weight·dz - G1 - x̂·G2),   G1 = Σ weight·dz / N and G2 = Σ weight·dz·x̂ / N over the group
 *
 * Order of summation: in each channel, a run of `run` positions (a row of a map) is added in float32. Runs, and then
 * the channels of a group, are added in float64. All are ascending. The variance is the mean of (x - mean)², in a
 * second pass, so nothing cancels. The backward pass computes the statistics again, which costs less than storing and
 * reading them.
 *
 * Accuracy: the error of the statistics is (run + 2)·2^-24 of Σ|x|/N and of the variance. x̂ is as accurate as
 * PyTorch's, which has one more rounding if the mean is large compared with the deviation.
 *
 * The items of the work are pictures. Sixteen channels are read at a time, which is a cache line. Source: Wu and He,
 * "Group Normalization" (2018).
 */
import { GroupNormRecord } from '../records';
import { workspaceOf } from '../scratch';
import { silu } from './silu';
import { meansAt, statistics } from './statistics';
import { FOUR, load, ONE, put } from './strip';

/** (x - mean)·scale + shift */
// @ts-ignore: decorator
@inline
function affine(x: v128, mean: v128, scale: v128, shift: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.sub(x, mean), scale), shift);
}

/** y of four channels, or of one, at n positions. */
// @ts-ignore: decorator
@inline
function normaliseStrip(
  width: i32,
  activate: bool,
  n: i32,
  step: usize,
  x: usize,
  y: usize,
  at: usize,
  next: usize,
): void {
  const mean = load(width, at);
  const scale = load(width, at + next);
  const shift = load(width, at + (next << 1));
  for (const end = x + <usize>n * step; x < end; x += step, y += step) {
    const z = affine(load(width, x), mean, scale, shift);
    put(width, y, activate ? silu(z) : z, false);
  }
}

/**
 * y[n, channels], one run after the other, so that all strips of a run are in the L1 cache. `at` has the means, then
 * the scales and shifts, of all channels.
 */
// @ts-ignore: decorator
@inline
function normalise(activate: bool, n: i32, run: i32, channels: i32, x: usize, y: usize, at: usize): void {
  const step = (<usize>channels) << 2;
  for (let from = 0; from < n; from += run) {
    const count = min(run, n - from);
    let o: usize = 0;
    for (; o + 16 <= step; o += 16) normaliseStrip(FOUR, activate, count, step, x + o, y + o, at + o, step);
    for (; o < step; o += 4) normaliseStrip(ONE, activate, count, step, x + o, y + o, at + o, step);
    x += <usize>run * step;
    y += <usize>run * step;
  }
}

/** Replaces rstd by scale = rstd·weight, and sets shift = bias. */
// @ts-ignore: decorator
@inline
export function affineParameters(channels: i32, weight: usize, bias: usize, scale: usize, shift: usize): void {
  for (let at = 0; at < channels << 2; at += 4) {
    if (weight) f32.store(scale + at, f32.load(scale + at) * f32.load(weight + at));
    f32.store(shift + at, bias ? f32.load(bias + at) : 0);
  }
}

export function groupNorm(from: i32, to: i32, r: GroupNormRecord): void {
  const n = r.positions;
  const channels = r.channels;
  const picture = (<usize>n * channels) << 2;
  const step = (<usize>channels) << 2;
  const totals = workspaceOf(r.workspace, r.workspaceBytes);
  const mean = meansAt(totals, channels);
  for (let i = from; i < to; ++i) {
    const x = r.x + <usize>i * picture;
    const y = r.out + <usize>i * picture;
    statistics(n, r.run, channels, r.groups, r.eps, x, totals, mean, mean + step);
    affineParameters(channels, r.weight, r.bias, mean + step, mean + (step << 1));
    if (r.silu) normalise(true, n, r.run, channels, x, y, mean);
    else normalise(false, n, r.run, channels, x, y, mean);
  }
}
