/**
 * Euler-Heun: Euler's step for the drift and Heun's step for the noise,
 * x̃ = x + b dW, x' = x + a dt + ½(b(x, t) + b(x̃, t + dt)) dW.
 *
 * Stratonovich; strong order 1 for additive, diagonal and scalar noise, 1/2 for general noise; weak order 1.
 * Source: one of the schemes in Rümelin, "Numerical treatment of stochastic differential equations", SIAM J.
 * Numer. Anal. 19 (1982), 604-613.
 */
import { leastStrong, noiseTerm, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 1 },
  diagonal: { strong: 1, weak: 1 },
  scalar: { strong: 1, weak: 1 },
  general: { strong: 0.5, weak: 1 },
};

/** Euler-Heun (Rümelin 1982): Stratonovich, strong order 1, and 1/2 for general noise. */
export const eulerHeun: SdeSolver = {
  name: 'euler-heun',
  title: 'Euler-Heun',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'stratonovich',
  step(sde, x, t, dt, dW) {
    const first = noiseTerm(sde, sde.diffusion(x, t), dW);
    const second = noiseTerm(sde, sde.diffusion(x.add(first), t + dt), dW);
    return x.add(sde.drift(x, t).mul(dt)).add(first.add(second).mul(0.5));
  },
};
