/**
 * Exact sampling: x' is drawn from the exact law of X(t + dt) given X(t) = x, for any dt. It needs a process with a
 * `transition` and refuses others. The result is exact in law. It is exact on the path too if X(t + dt) is a function
 * of x and dW only (Brownian motion, geometric Brownian motion).
 */
import type { SdeSolver } from '../sde.ts';

const exactly = { strong: Infinity, weak: Infinity };

/** Draws from the exact law of the next state. It needs a process with a `transition`. */
export const exact: SdeSolver = {
  name: 'exact',
  title: 'Exact sampling',
  orders: { additive: exactly, diagonal: exactly },
  strongOrder: Infinity,
  interpretation: 'ito',
  lacks: (sde) =>
    sde.transition ? null : `expected a process with a known transition, got ${sde.name ?? 'the SDE'}`,
  step: (sde, x, t, dt, dW) => sde.transition!(x, t, dt, dW),
};
