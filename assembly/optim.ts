/**
 * Optimiser steps over a flat block of n parameters, each in one pass: Adam with coupled (L2) or decoupled
 * weight decay, and SGD with momentum. Every operation is float32, rounded once; the bias corrections come in
 * from the caller, who keeps them in float64.
 *
 * Source: Kingma and Ba (2015), algorithm 1 with the order of operations of PyTorch's `torch.optim.Adam`;
 * Loshchilov and Hutter (2019) for AdamW.
 */

/**
 * m = beta1·m + (1-beta1)·g, v = beta2·v + (1-beta2)·g², p = p - stepSize·m / (sqrt(v)/correction + eps).
 *
 * @param stepSize lr / (1 - beta1^t), @param correction sqrt(1 - beta2^t)
 * @param l2 added to the gradient as l2·p, @param shrink p is multiplied by it first (1 - lr·decay, or 1)
 */
export function adam(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  stepSize: f32, beta1: f64, beta2: f64, eps: f32, correction: f32, l2: f32, shrink: f32,
): void {
  // In float32 1 - 0.999 is off by 1e-5 of itself, and the bias correction, by the true value, would show it.
  const b1 = f32x4.splat(<f32>beta1), c1 = f32x4.splat(<f32>(1 - beta1));
  const b2 = f32x4.splat(<f32>beta2), c2 = f32x4.splat(<f32>(1 - beta2));
  const step = f32x4.splat(stepSize), e = f32x4.splat(eps), root = f32x4.splat(correction);
  const decay = f32x4.splat(l2), keep = f32x4.splat(shrink);
  for (; n >= 4; n -= 4, p += 16, g += 16, m += 16, v += 16) {
    adam4(4, p, g, m, v, step, b1, c1, b2, c2, e, root, decay, keep);
  }
  if (n > 0) adam4(n, p, g, m, v, step, b1, c1, b2, c2, e, root, decay, keep);
}

/** Four elements, or at the end the last one to three. */
// @ts-ignore: decorator
@inline
function adam4(
  left: i32, p: usize, g: usize, m: usize, v: usize,
  step: v128, b1: v128, c1: v128, b2: v128, c2: v128, eps: v128, correction: v128, l2: v128, shrink: v128,
): void {
  const p0 = load(p, left);
  const g0 = f32x4.add(load(g, left), f32x4.mul(l2, p0));
  const m1 = f32x4.add(f32x4.mul(b1, load(m, left)), f32x4.mul(c1, g0));
  const v1 = f32x4.add(f32x4.mul(b2, load(v, left)), f32x4.mul(c2, f32x4.mul(g0, g0)));
  const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v1), correction), eps);
  store(m, m1, left);
  store(v, v1, left);
  store(p, f32x4.sub(f32x4.mul(shrink, p0), f32x4.div(f32x4.mul(step, m1), denominator)), left);
}

/**
 * g = g + l2·p; where momentum is not 0: b = first ? g : momentum·b + (1-dampening)·g, and
 * g = nesterov ? g + momentum·b : b; p = p - lr·g.
 */
export function sgd(
  n: i32, p: usize, g: usize, b: usize,
  lr: f32, momentum: f32, dampening: f32, l2: f32, nesterov: bool, first: bool,
): void {
  const rate = f32x4.splat(lr), mu = f32x4.splat(momentum), damp = f32x4.splat(1 - dampening), decay = f32x4.splat(l2);
  for (let left = n; left > 0; left -= 4, p += 16, g += 16) {
    const p0 = load(p, left);
    let d = f32x4.add(load(g, left), f32x4.mul(decay, p0));
    if (momentum != 0) {
      const b1 = first ? d : f32x4.add(f32x4.mul(mu, load(b, left)), f32x4.mul(damp, d));
      store(b, b1, left);
      d = nesterov ? f32x4.add(d, f32x4.mul(mu, b1)) : b1;
      b += 16;
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
