/**
 * Milstein's scheme without a derivative, also called the Runge-Kutta-Milstein scheme:
 * x̂ = x + a dt + b √dt, x' = x + a dt + b dW + (b(x̂) - b)·(dW² - dt)/(2√dt).
 *
 * Itô; strong order 1, weak order 1; additive, diagonal and scalar noise.
 * Source: Platen; Kloeden and Platen (1992), equation 11.1.3.
 */
import { leastStrong, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 1 },
  diagonal: { strong: 1, weak: 1 },
  scalar: { strong: 1, weak: 1 },
};

/** Milstein without a derivative (Platen): Itô, strong order 1. */
export const milsteinFree: SdeSolver = {
  name: 'milstein-free',
  title: 'Milstein, derivative-free',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'ito',
  step(sde, x, t, dt, dW) {
    const root = Math.sqrt(dt);
    const b = sde.diffusion(x, t);
    const mean = x.add(sde.drift(x, t).mul(dt));
    const slope = sde.diffusion(mean.add(b.mul(root)), t).sub(b);
    const square = dW
      .mul(dW)
      .sub(dt)
      .mul(0.5 / root);
    return mean.add(b.mul(dW)).add(slope.mul(square));
  },
};
