/**
 * Rößler's SRA1, a stochastic Runge-Kutta scheme of two stages for additive noise:
 * H = x + ¾ a(x, t) dt + (3/2) b(t + dt) J, x' = x + ⅓ a(x, t) dt + ⅔ a(H, t + ¾dt) dt + b(t + dt)(dW - J) + b(t) J,
 * where J = I_(1,0)/dt = dW/2 + the space-time Lévy area.
 *
 * Additive noise; strong order 3/2, weak order 2.
 * Source: Rößler, "Runge-Kutta methods for the strong approximation of solutions of stochastic differential
 * equations", SIAM J. Numer. Anal. 48 (2010) (4), 922-952.
 */
import { InternalError } from '../../errors.ts';
import { leastStrong, type SdeSolver } from '../sde.ts';

const orders = { additive: { strong: 1.5, weak: 2 } };

/** SRA1 (Rößler 2010) for additive noise: strong order 3/2, weak order 2. */
export const sra1: SdeSolver = {
  name: 'sra1',
  title: 'Rößler SRA1',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'ito',
  needsArea: true,
  step(sde, x, t, dt, dW, area) {
    if (!area) throw new InternalError('sra1: step without the space-time Lévy area');
    const j = area.add(dW.mul(0.5));
    const a = sde.drift(x, t);
    const [b, ahead] = [sde.diffusion(x, t), sde.diffusion(x, t + dt)];
    const stage = x.add(a.mul(0.75 * dt)).add(ahead.mul(j).mul(1.5));
    const drift = a.mul(dt / 3).add(sde.drift(stage, t + 0.75 * dt).mul((2 * dt) / 3));
    return x
      .add(drift)
      .add(ahead.mul(dW.sub(j)))
      .add(b.mul(j));
  },
};
