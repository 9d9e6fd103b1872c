/** The means and deviations of groups of channels: see group-norm.ts for the order of summation. */
import { addTotals, FOUR, load, ONE, WIDE } from './strip';

/** The term that is added: x, or the square of its distance from the mean. */
// @ts-ignore: decorator
@inline
function term(squares: bool, x: v128, mean: v128): v128 {
  if (!squares) return x;
  const d = f32x4.sub(x, mean);
  return f32x4.mul(d, d);
}

/** Adds the channels of a strip at n positions, `step` bytes apart, to their totals, run by run. */
// @ts-ignore: decorator
@inline
function addStrip(
  width: i32,
  squares: bool,
  n: i32,
  run: i32,
  x: usize,
  step: usize,
  means: usize,
  totals: usize,
): void {
  const m0 = load(width, means);
  const m1 = width == WIDE ? v128.load(means, 16) : m0;
  const m2 = width == WIDE ? v128.load(means, 32) : m0;
  const m3 = width == WIDE ? v128.load(means, 48) : m0;
  for (let from = 0; from < n; from += run) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (const end = x + <usize>min(run, n - from) * step; x < end; x += step) {
      s0 = f32x4.add(s0, term(squares, load(width, x), m0));
      if (width == WIDE) {
        s1 = f32x4.add(s1, term(squares, v128.load(x, 16), m1));
        s2 = f32x4.add(s2, term(squares, v128.load(x, 32), m2));
        s3 = f32x4.add(s3, term(squares, v128.load(x, 48), m3));
      }
    }
    addTotals(width, totals, s0);
    if (width == WIDE) {
      addTotals(width, totals + 32, s1);
      addTotals(width, totals + 64, s2);
      addTotals(width, totals + 96, s3);
    }
  }
}

/** totals[channels] = Σ x over positions, or Σ (x - mean)². */
// @ts-ignore: decorator
@inline
export function addChannels(
  squares: bool,
  n: i32,
  run: i32,
  channels: i32,
  x: usize,
  means: usize,
  totals: usize,
): void {
  const step = (<usize>channels) << 2;
  memory.fill(totals, 0, (<usize>channels) << 3);
  let c = 0;
  for (; c + WIDE <= channels; c += WIDE) {
    addStrip(WIDE, squares, n, run, x + (c << 2), step, means + (c << 2), totals + (c << 3));
  }
  for (; c + FOUR <= channels; c += FOUR) {
    addStrip(FOUR, squares, n, run, x + (c << 2), step, means + (c << 2), totals + (c << 3));
  }
  for (; c < channels; ++c) {
    addStrip(ONE, squares, n, run, x + (c << 2), step, means + (c << 2), totals + (c << 3));
  }
}

/** The sum over a group's channels. */
// @ts-ignore: decorator
@inline
function groupTotal(totals: usize, from: i32, to: i32): f64 {
  let total: f64 = 0;
  for (let c = from; c < to; ++c) total += f64.load(totals + (c << 3));
  return total;
}

/** The addresses of the workspace's arrays with one number for each channel. The means come first. */
// @ts-ignore: decorator
@inline
export function meansAt(space: usize, channels: i32): usize {
  return space + ((<usize>channels) << 4);
}

/** The statistics of one picture: means[channels] and rstd[channels]. They are equal for all channels of a group. */
export function statistics(
  n: i32,
  run: i32,
  channels: i32,
  groups: i32,
  eps: f64,
  x: usize,
  totals: usize,
  mean: usize,
  rstd: usize,
): void {
  const size = channels / groups;
  const elements = <f64>n * size;
  addChannels(false, n, run, channels, x, mean, totals);
  for (let from = 0; from < channels; from += size) {
    const m = <f32>(groupTotal(totals, from, from + size) / elements);
    for (let c = from; c < from + size; ++c) f32.store(mean + (c << 2), m);
  }
  addChannels(true, n, run, channels, x, mean, totals);
  for (let from = 0; from < channels; from += size) {
    const r = <f32>(1 / Math.sqrt(groupTotal(totals, from, from + size) / elements + eps));
    for (let c = from; c < from + size; ++c) f32.store(rstd + (c << 2), r);
  }
}
