/**
 * Tamed Euler, for drifts that grow faster than linearly. For those the moments of Euler-Maruyama explode.
 * x' = x + a dt/(1 + |a| dt) + b dW. In one step the drift changes a component by less than 1. Here |a| is the absolute
 * value of each component; in the paper it is the norm of the vector. In one dimension both are the same.
 *
 * Itô; strong order 1/2, weak order 1. The strong order is 1 for additive noise.
 * Source: Hutzenthaler, Jentzen and Kloeden, "Strong convergence of an explicit numerical method for SDEs with
 * nonglobally Lipschitz continuous coefficients" (2012).
 */
import { leastStrong, noiseTerm, type SdeSolver } from '../sde.ts';

const orders = {
  additive: { strong: 1, weak: 1 },
  diagonal: { strong: 0.5, weak: 1 },
  scalar: { strong: 0.5, weak: 1 },
  general: { strong: 0.5, weak: 1 },
};

/**
 * Tamed Euler (Hutzenthaler, Jentzen and Kloeden 2012): Itô, strong order 1/2, for drifts that grow faster than
 * linearly.
 */
export const tamedEuler: SdeSolver = {
  name: 'tamed-euler',
  title: 'Tamed Euler',
  orders,
  strongOrder: leastStrong(orders),
  interpretation: 'ito',
  step(sde, x, t, dt, dW) {
    const drift = sde.drift(x, t).mul(dt);
    return x.add(drift.div(drift.abs().add(1))).add(noiseTerm(sde, sde.diffusion(x, t), dW));
  },
};
