/** The gradients of group normalisation: see group-norm.ts for the formulas and the order of summation. */
import { GroupNormBackwardRecord } from '../records';
import { workspaceOf } from '../scratch';
import { affineParameters } from './group-norm';
import { siluGradient } from './silu';
import { meansAt, statistics } from './statistics';
import { addTotals, FOUR, load, ONE, put } from './strip';

/**
 * For a run, adds Σ dz and Σ dz·(x - mean) of four channels, or of one, to their totals. With SiLU dz is computed from
 * dy and stored. Without it dz is dy.
 */
// @ts-ignore: decorator
@inline
function gradientStrip(
  width: i32,
  activate: bool,
  n: i32,
  step: usize,
  x: usize,
  dy: usize,
  dz: usize,
  at: usize,
  first: usize,
  second: usize,
): void {
  const mean = load(width, at);
  const scale = load(width, at + step);
  const shift = load(width, at + (step << 1));
  let s0 = f32x4.splat(0);
  let s1 = s0;
  for (const end = x + <usize>n * step; x < end; x += step, dy += step) {
    const d = f32x4.sub(load(width, x), mean);
    let g = load(width, dy);
    if (activate) {
      g = siluGradient(g, f32x4.add(f32x4.mul(d, scale), shift));
      put(width, dz, g, false);
      dz += step;
    }
    s0 = f32x4.add(s0, g);
    s1 = f32x4.add(s1, f32x4.mul(g, d));
  }
  addTotals(width, first, s0);
  addTotals(width, second, s1);
}

// @ts-ignore: decorator
@inline
function gradients(
  activate: bool,
  n: i32,
  run: i32,
  channels: i32,
  x: usize,
  dy: usize,
  dz: usize,
  at: usize,
  totals: usize,
): void {
  const step = (<usize>channels) << 2;
  memory.fill(totals, 0, step << 2);
  for (let from = 0; from < n; from += run) {
    const count = min(run, n - from);
    let o: usize = 0;
    for (; o + 16 <= step; o += 16) {
      const total = totals + (o << 1);
      gradientStrip(FOUR, activate, count, step, x + o, dy + o, dz + o, at + o, total, total + (step << 1));
    }
    for (; o < step; o += 4) {
      const total = totals + (o << 1);
      gradientStrip(ONE, activate, count, step, x + o, dy + o, dz + o, at + o, total, total + (step << 1));
    }
    x += <usize>run * step;
    dy += <usize>run * step;
    dz += <usize>run * step;
  }
}

/** dx = scale·dz - k1 - (x - mean)·k2 of four channels, or of one. */
// @ts-ignore: decorator
@inline
function inputStrip(
  width: i32,
  n: i32,
  step: usize,
  x: usize,
  dz: usize,
  dx: usize,
  at: usize,
  accumulate: bool,
): void {
  const mean = load(width, at);
  const scale = load(width, at + step);
  const k1 = load(width, at + 3 * step);
  const k2 = load(width, at + (step << 2));
  for (const end = x + <usize>n * step; x < end; x += step, dz += step, dx += step) {
    const d = f32x4.sub(load(width, x), mean);
    const direct = f32x4.sub(f32x4.mul(load(width, dz), scale), k1);
    put(width, dx, f32x4.sub(direct, f32x4.mul(d, k2)), accumulate);
  }
}

// @ts-ignore: decorator
@inline
function inputGradient(
  n: i32,
  run: i32,
  channels: i32,
  x: usize,
  dz: usize,
  dx: usize,
  at: usize,
  accumulate: bool,
): void {
  const step = (<usize>channels) << 2;
  for (let from = 0; from < n; from += run) {
    const count = min(run, n - from);
    let o: usize = 0;
    for (; o + 16 <= step; o += 16) inputStrip(FOUR, count, step, x + o, dz + o, dx + o, at + o, accumulate);
    for (; o < step; o += 4) inputStrip(ONE, count, step, x + o, dz + o, dx + o, at + o, accumulate);
    x += <usize>run * step;
    dz += <usize>run * step;
    dx += <usize>run * step;
  }
}

/** k1 = rstd·G1 and k2 = rstd²·G2 of each channel, and the picture's parts of dweight and dbias if they are needed. */
function groupGradients(r: GroupNormBackwardRecord, picture: i32, totals: usize, rstd: usize, k1: usize): void {
  const channels = r.channels;
  const size = channels / r.groups;
  const step = (<usize>channels) << 2;
  const elements = <f64>r.positions * size;
  const second = totals + (step << 1);
  const weight = r.weight;
  for (let from = 0; from < channels; from += size) {
    const scale = <f64>f32.load(rstd + (from << 2));
    let g1: f64 = 0;
    let g2: f64 = 0;
    for (let c = from; c < from + size; ++c) {
      const w: f64 = weight ? <f64>f32.load(weight + (c << 2)) : 1;
      const s1 = f64.load(totals + (c << 3));
      const s2 = scale * f64.load(second + (c << 3));
      g1 += w * s1;
      g2 += w * s2;
      if (r.sums) {
        const sums = r.sums + <usize>picture * step + (c << 2);
        f32.store(sums, <f32>s2);
        f32.store(sums + <usize>r.batch * step, <f32>s1);
      }
    }
    for (let c = from; c < from + size; ++c) {
      f32.store(k1 + (c << 2), <f32>((scale * g1) / elements));
      f32.store(k1 + step + (c << 2), <f32>((scale * scale * g2) / elements));
    }
  }
}

export function groupNormBackward(from: i32, to: i32, r: GroupNormBackwardRecord): void {
  const n = r.positions;
  const channels = r.channels;
  const picture = (<usize>n * channels) << 2;
  const step = (<usize>channels) << 2;
  const totals = workspaceOf(r.workspace, r.workspaceBytes);
  // Arrays: means, scales, shifts, k1, k2 of all channels, 1/deviations, and dz of the picture.
  const mean = meansAt(totals, channels);
  const rstd = mean + 5 * step;
  const space = rstd + step;
  for (let i = from; i < to; ++i) {
    const x = r.x + <usize>i * picture;
    const dy = r.dy + <usize>i * picture;
    statistics(n, r.run, channels, r.groups, r.eps, x, totals, mean, rstd);
    memory.copy(mean + step, rstd, step);
    affineParameters(channels, r.weight, r.bias, mean + step, mean + (step << 1));
    if (r.silu) gradients(true, n, r.run, channels, x, dy, space, mean, totals);
    else gradients(false, n, r.run, channels, x, dy, space, mean, totals);
    groupGradients(r, i, totals, rstd, mean + 3 * step);
    if (!r.out) continue;
    inputGradient(n, r.run, channels, x, r.silu ? space : dy, r.out + <usize>i * picture, mean, r.accumulate != 0);
  }
}
