/**
 * Optimiser steps over a flat block of n parameters, each in one pass: Adam with coupled (L2) or decoupled weight
 * decay, SGD with momentum, and RMSprop. Every operation is float32 and rounded once. The caller computes the bias
 * corrections in float64.
 *
 * Source: Kingma and Ba (2015), algorithm 1 with the order of operations of PyTorch's `torch.optim.Adam`; Loshchilov
 * and Hutter (2019) for AdamW; Tieleman and Hinton (2012), lecture 6e, for RMSprop as `torch.optim.RMSprop`.
 */
import { constant } from './constants';
import { AdamRecord, RmspropRecord, SgdRecord } from './records';
import { scratch } from './scratch';

// Adam's factors as float32, at the start of this thread's scratch memory. A broadcast load is one instruction.
const STEP: i32 = 0,
  BETA1: i32 = 1,
  REST1: i32 = 2,
  BETA2: i32 = 3,
  REST2: i32 = 4;
const EPS: i32 = 5,
  CORRECTION: i32 = 6,
  L2: i32 = 7,
  SHRINK: i32 = 8;

function set(factor: i32, value: f32): void {
  f32.store(scratch + (factor << 2), value);
}

// @ts-ignore: decorator
@inline
function get(factor: i32): v128 {
  return constant(scratch, factor);
}

/**
 * g = g + l2·p, m = beta1·m + (1-beta1)·g, v = beta2·v + (1-beta2)·g²,
 * p = shrink·p - stepSize·m / (sqrt(v)/correction + eps)
 *
 * with stepSize = lr / (1 - beta1^t) and correction = sqrt(1 - beta2^t); shrink is 1 - lr·decay, or 1.
 */
export function adam(from: i32, to: i32, r: AdamRecord): void {
  set(STEP, r.stepSize);
  set(BETA1, <f32>r.beta1);
  // In float32 1 - 0.999 has a relative error of 1e-5. The bias correction uses the exact value, so the error would
  // show.
  set(REST1, <f32>(1 - r.beta1));
  set(BETA2, <f32>r.beta2);
  set(REST2, <f32>(1 - r.beta2));
  set(EPS, r.eps);
  set(CORRECTION, r.correction);
  set(L2, r.l2);
  set(SHRINK, r.shrink);
  const p = r.p;
  const g = r.g;
  const m = r.m;
  const v = r.v;
  let i: usize = from << 2;
  for (const whole: usize = (to - ((to - from) & 3)) << 2; i < whole; i += 16) adam4(4, p + i, g + i, m + i, v + i);
  if ((to - from) & 3) adam4((to - from) & 3, p + i, g + i, m + i, v + i);
}

/** Four elements, or at the end the last one to three. */
// @ts-ignore: decorator
@inline
function adam4(left: i32, p: usize, g: usize, m: usize, v: usize): void {
  const p0 = load(p, left);
  const g0 = f32x4.add(load(g, left), f32x4.mul(get(L2), p0));
  const m1 = f32x4.add(f32x4.mul(get(BETA1), load(m, left)), f32x4.mul(get(REST1), g0));
  const v1 = f32x4.add(f32x4.mul(get(BETA2), load(v, left)), f32x4.mul(get(REST2), f32x4.mul(g0, g0)));
  const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v1), get(CORRECTION)), get(EPS));
  store(m, m1, left);
  store(v, v1, left);
  store(p, f32x4.sub(f32x4.mul(get(SHRINK), p0), f32x4.div(f32x4.mul(get(STEP), m1), denominator)), left);
}

/**
 * g = g + l2·p. If momentum is not 0: b = first ? g : momentum·b + (1-dampening)·g, and g = nesterov ? g + momentum·b :
 * b. Then p = p - lr·g.
 */
export function sgd(from: i32, to: i32, r: SgdRecord): void {
  const rate = f32x4.splat(r.lr);
  const mu = f32x4.splat(r.momentum);
  const damp = f32x4.splat(1 - r.dampening);
  const decay = f32x4.splat(r.l2);
  const moves = r.momentum != 0;
  const nesterov = r.nesterov != 0;
  const first = r.first != 0;
  const at = (<usize>from) << 2;
  let p = r.p + at;
  let g = r.g + at;
  let b = r.buffer + at;
  for (let left = to - from; left > 0; left -= 4, p += 16, g += 16) {
    const p0 = load(p, left);
    let d = f32x4.add(load(g, left), f32x4.mul(decay, p0));
    if (moves) {
      const b1 = first ? d : f32x4.add(f32x4.mul(mu, load(b, left)), f32x4.mul(damp, d));
      store(b, b1, left);
      d = nesterov ? f32x4.add(d, f32x4.mul(mu, b1)) : b1;
      b += 16;
    }
    store(p, f32x4.sub(p0, f32x4.mul(rate, d)), left);
  }
}

/**
 * g = g + l2·p, v = alpha·v + (1-alpha)·g². If centred: a = alpha·a + (1-alpha)·g and s = v - a², else s = v. Then d =
 * g / (sqrt(s) + eps). With momentum: b = momentum·b + d and d = b. Last, p = p - lr·d.
 *
 * The variance s is negative only by rounding. It is 0 then.
 */
export function rmsprop(from: i32, to: i32, r: RmspropRecord): void {
  const rate = f32x4.splat(r.lr);
  const keep = f32x4.splat(<f32>r.alpha);
  const rest = f32x4.splat(<f32>(1 - r.alpha));
  const eps = f32x4.splat(r.eps);
  const mu = f32x4.splat(r.momentum);
  const decay = f32x4.splat(r.l2);
  const centred = r.average != 0;
  const moves = r.buffer != 0;
  const at = (<usize>from) << 2;
  let p = r.p + at;
  let g = r.g + at;
  let v = r.v + at;
  let a = r.average + at;
  let b = r.buffer + at;
  for (let left = to - from; left > 0; left -= 4, p += 16, g += 16, v += 16, a += 16, b += 16) {
    const p0 = load(p, left);
    const g0 = f32x4.add(load(g, left), f32x4.mul(decay, p0));
    let s = f32x4.add(f32x4.mul(keep, load(v, left)), f32x4.mul(rest, f32x4.mul(g0, g0)));
    store(v, s, left);
    if (centred) {
      const a1 = f32x4.add(f32x4.mul(keep, load(a, left)), f32x4.mul(rest, g0));
      store(a, a1, left);
      s = f32x4.max(f32x4.sub(s, f32x4.mul(a1, a1)), f32x4.splat(0));
    }
    let d = f32x4.div(g0, f32x4.add(f32x4.sqrt(s), eps));
    if (moves) {
      d = f32x4.add(f32x4.mul(mu, load(b, left)), d);
      store(b, d, left);
    }
    store(p, f32x4.sub(p0, f32x4.mul(rate, d)), left);
  }
}

// @ts-ignore: decorator
@inline
function load(at: usize, left: i32): v128 {
  return left >= 4 ? v128.load(at) : loadPart(at, left);
}

// @ts-ignore: decorator
@inline
function store(at: usize, v: v128, left: i32): void {
  if (left >= 4) v128.store(at, v);
  else storePart(at, v, left);
}

function loadPart(at: usize, left: i32): v128 {
  let v = v128.load32_zero(at);
  if (left > 1) v = f32x4.replace_lane(v, 1, f32.load(at, 4));
  if (left > 2) v = f32x4.replace_lane(v, 2, f32.load(at, 8));
  return v;
}

function storePart(at: usize, v: v128, left: i32): void {
  f32.store(at, f32x4.extract_lane(v, 0));
  if (left > 1) f32.store(at, f32x4.extract_lane(v, 1), 4);
  if (left > 2) f32.store(at, f32x4.extract_lane(v, 2), 8);
}
