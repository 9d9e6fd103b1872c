/**
 * Euler-Maruyama in one pass over memory, for equations that are affine in the state. These are Brownian motion, the
 * drift SDE, geometric Brownian motion, Ornstein-Uhlenbeck, the bridge, and the SDEs of diffusion models. The kernel
 * makes the same noise as `FreshNoise` makes for the general form. So both forms agree up to rounding.
 */
import { scope } from '../autograd/tape.ts';
import { sizeOf } from '../autograd/variable.ts';
import { copyArray } from '../backend/kernels.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { GROUP, type NoiseOrigin } from './increments.ts';
import { noiseOf, type SDE, type SdeSolver } from './sde.ts';
import { eulerMaruyama } from './solvers/euler-maruyama.ts';

/** Whether the fused kernel can solve `sde` in place of `solver`. */
export function fits(sde: SDE, solver: SdeSolver): boolean {
  const elementwise = noiseOf(sde) === 'additive' || noiseOf(sde) === 'diagonal';
  return solver === eulerMaruyama && elementwise && sde.affine !== undefined;
}

/** Solves from x and writes to `states`: all states with the start first, or the last one only. */
export function solveFused(
  sde: SDE,
  x: Tensor,
  times: Float64Array,
  states: Tensor,
  keep: boolean,
  noise: NoiseOrigin,
): void {
  const { kernels, elementBytes } = x.backend;
  const n = sizeOf(x.shape);
  const steps = times.length - 1;
  if (keep) copyArray(kernels, n, x.ptr, { ptr: states.ptr, accumulate: false });
  scope(() => {
    kernels.affinePath({
      n,
      steps,
      coefficients: coefficientsOf(sde, times).ptr,
      x: x.ptr,
      out: keep ? states.ptr + n * elementBytes : states.ptr,
      row: keep ? n : 0,
      key: noise.dW.key,
      stepBlocks: Math.ceil(n / GROUP) * 4,
    });
  });
}

/** a0·dt, a1·dt, b0·√dt and b1·√dt of each step, [steps, 4]. */
function coefficientsOf(sde: SDE, times: Float64Array): Tensor {
  const steps = times.length - 1;
  const table = new Float64Array(4 * steps);
  for (let k = 0; k < steps; k++) {
    const { a0, a1, b0, b1 } = sde.affine!(times[k]);
    const dt = times[k + 1] - times[k];
    table.set([a0 * dt, a1 * dt, b0 * Math.sqrt(dt), b1 * Math.sqrt(dt)], 4 * k);
  }
  return tensor(table, [steps, 4]);
}
