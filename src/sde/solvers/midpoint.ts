/**
 * The explicit midpoint rule: x̃ = x + ½(a dt + b dW), x' = x + a(x̃, t + dt/2) dt + b(x̃, t + dt/2) dW.
 *
 * Stratonovich; strong order 1 for additive, diagonal and scalar noise, 1/2 for general noise; weak order 1.
 * Source: Burrage, Burrage and Tian, "Numerical methods for strong solutions of stochastic differential
 * equations: an overview" (2004).
 */
import { leastStrong, noiseTerm, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 1 },
  diagonal: { strong: 1, weak: 1 },
  scalar: { strong: 1, weak: 1 },
  general: { strong: 0.5, weak: 1 },
};

/** The explicit midpoint rule: Stratonovich, strong order 1, and 1/2 for general noise. */
export const midpoint: SdeSolver = {
  name: 'midpoint',
  title: 'Midpoint',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'stratonovich',
  step(sde, x, t, dt, dW) {
    const half = t + dt / 2;
    const first = sde
      .drift(x, t)
      .mul(dt)
      .add(noiseTerm(sde, sde.diffusion(x, t), dW));
    const middle = x.add(first.mul(0.5));
    return x.add(sde.drift(middle, half).mul(dt)).add(noiseTerm(sde, sde.diffusion(middle, half), dW));
  },
};
