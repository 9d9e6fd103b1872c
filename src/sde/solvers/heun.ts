/**
 * Stochastic Heun: x̃ = x + a dt + b dW, x' = x + ½(a + ã) dt + ½(b + b̃) dW with ã, b̃ at (x̃, t + dt).
 *
 * Stratonovich; strong order 1 for additive, diagonal and scalar noise, 1/2 for general noise; weak order 1, or 2 for
 * additive noise.
 * Source: Rümelin, SIAM J. Numer. Anal. 19 (1982), 604-613; Kloeden and Platen (1992), 15.1 for additive noise.
 */
import { leastStrong, noiseTerm, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 2 },
  diagonal: { strong: 1, weak: 1 },
  scalar: { strong: 1, weak: 1 },
  general: { strong: 0.5, weak: 1 },
};

/** Stochastic Heun (Rümelin 1982): Stratonovich, strong order 1, and 1/2 for general noise. */
export const heun: SdeSolver = {
  name: 'heun',
  title: 'Stochastic Heun',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'stratonovich',
  step(sde, x, t, dt, dW) {
    const first = sde
      .drift(x, t)
      .mul(dt)
      .add(noiseTerm(sde, sde.diffusion(x, t), dW));
    const ahead = x.add(first);
    const second = sde
      .drift(ahead, t + dt)
      .mul(dt)
      .add(noiseTerm(sde, sde.diffusion(ahead, t + dt), dW));
    return x.add(first.add(second).mul(0.5));
  },
};
