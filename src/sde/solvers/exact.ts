/**
 * Exact sampling: x' is drawn from the exact law of X(t + dt) given X(t) = x, whatever dt. For processes that
 * give their `transition`, all others are refused. What it gives is exact in law; only where X(t + dt) is a
 * function of dW alone (Brownian motion, geometric Brownian motion) is it exact on the path too.
 */
import type { SdeSolver } from '../sde.ts';

const exactly = { strong: Infinity, weak: Infinity };

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
