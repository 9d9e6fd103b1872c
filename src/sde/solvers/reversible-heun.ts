/**
 * Reversible Heun. The state has two parts, x and an auxiliary x̂ that starts at x:
 * x̂' = 2x - x̂ + a(x̂, t) dt + b(x̂, t) dW, x' = x + ½(a(x̂, t) + a(x̂', t')) dt + ½(b(x̂, t) + b(x̂', t')) dW.
 * `reverse` undoes a step up to rounding: it is the same formula with dt and dW negated. The state is stored as
 * `[2, ...x]`: x, then x̂.
 *
 * Stratonovich; strong order 1/2 for general noise, 1 for additive noise; weak order 1. Two declared orders are
 * measured, and above those of the paper: strong order 1 for diagonal and scalar noise (1/2 in the paper), and weak
 * order 2 for additive noise.
 * Source: Kidger, Foster, Li and Lyons, "Efficient and accurate gradients for neural SDEs" (2021), algorithm 1.
 */
import { cat } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { leastStrong, noiseTerm, type SDE, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 2 },
  diagonal: { strong: 1, weak: 1 },
  scalar: { strong: 1, weak: 1 },
  general: { strong: 0.5, weak: 1 },
};

const pair = (x: Tensor, auxiliary: Tensor) =>
  cat([x.reshape(1, ...x.shape), auxiliary.reshape(1, ...x.shape)]);
const part = (state: Tensor, i: number) => state.slice([i], [i + 1]).reshape(state.shape.slice(1));

function step(sde: SDE, state: Tensor, t: number, dt: number, dW: Tensor): Tensor {
  const x = part(state, 0);
  const before = part(state, 1);
  const change = (at: Tensor, time: number) =>
    sde
      .drift(at, time)
      .mul(dt)
      .add(noiseTerm(sde, sde.diffusion(at, time), dW));
  const first = change(before, t);
  const after = x.mul(2).sub(before).add(first);
  return pair(x.add(first.add(change(after, t + dt)).mul(0.5)), after);
}

/** Reversible Heun (Kidger et al. 2021): Stratonovich. `reverse` undoes a step up to rounding. */
export const reversibleHeun: SdeSolver & { reverse: SdeSolver['step'] } = {
  name: 'reversible-heun',
  title: 'Reversible Heun',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'stratonovich',
  begin: (x) => pair(x, x),
  read: (state) => part(state, 0),
  step,
  /** Computes the state at t from the state at t + dt. dW is the increment of the same interval. */
  reverse: (sde, state, t, dt, dW) => step(sde, state, t + dt, -dt, dW.neg()),
};
