/**
 * The Euler-Maruyama scheme: x' = x + a dt + b dW.
 *
 * Itô; strong order 1/2, weak order 1. For additive noise it is Milstein's scheme, and the strong order is 1.
 * Source: Maruyama (1955); Kloeden and Platen (1992), 10.2.
 */
import { leastStrong, noiseTerm, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 1 },
  diagonal: { strong: 0.5, weak: 1 },
  scalar: { strong: 0.5, weak: 1 },
  general: { strong: 0.5, weak: 1 },
};

/** Euler-Maruyama (Maruyama 1955): Itô, strong order 1/2, weak order 1. */
export const eulerMaruyama: SdeSolver = {
  name: 'euler-maruyama',
  title: 'Euler-Maruyama',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'ito',
  step(sde, x, t, dt, dW) {
    return x.add(sde.drift(x, t).mul(dt)).add(noiseTerm(sde, sde.diffusion(x, t), dW));
  },
};
