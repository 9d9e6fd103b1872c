/**
 * Platen's explicit scheme of weak order 2. It is for distributions, not for paths:
 * Υ = x + a dt + b dW, Υ± = x + a dt ± b √dt,
 * x' = x + ½(a + a(Υ)) dt + ¼(b(Υ+) + b(Υ-) + 2b) dW + ¼(b(Υ+) - b(Υ-))(dW² - dt)/√dt, with Υ and Υ± at t + dt.
 *
 * Itô; weak order 2, strong order 1 (with normal increments the scheme contains Milstein's term); additive, diagonal
 * and scalar noise.
 * Source: Platen (1984); Kloeden and Platen (1992), equation 15.1.1.
 */
import { leastStrong, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 2 },
  diagonal: { strong: 1, weak: 2 },
  scalar: { strong: 1, weak: 2 },
};

/** Platen (1984): Itô, weak order 2, strong order 1. */
export const platenWeak2: SdeSolver = {
  name: 'platen-weak2',
  title: 'Platen, weak order 2',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'ito',
  step(sde, x, t, dt, dW) {
    const root = Math.sqrt(dt);
    const [a, b] = [sde.drift(x, t), sde.diffusion(x, t)];
    const mean = x.add(a.mul(dt));
    const reach = b.mul(root);
    const up = sde.diffusion(mean.add(reach), t + dt);
    const down = sde.diffusion(mean.sub(reach), t + dt);
    const drift = sde
      .drift(mean.add(b.mul(dW)), t + dt)
      .add(a)
      .mul(dt / 2);
    const noise = up.add(down).add(b.mul(2)).mul(dW).mul(0.25);
    const square = dW
      .mul(dW)
      .sub(dt)
      .mul(0.25 / root);
    return x.add(drift).add(noise).add(up.sub(down).mul(square));
  },
};
