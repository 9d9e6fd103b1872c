/**
 * Heston's model: a price S whose variance v is a Cox-Ingersoll-Ross process,
 * dS = μS dt + √v S dW₁, dv = κ(θ - v) dt + ξ√v (ρ dW₁ + √(1 - ρ²) dW₂).
 * A state is `[paths, 2]`: S, then v. The noise is general, with two Brownian motions. Known are E S(t) = S0 e^(μt)
 * and the law of v (cox-ingersoll-ross.ts).
 *
 * Usual parameters do not keep v above 0. So drift and diffusion use max(v, 0) in place of v (full truncation: Lord,
 * Koekkoek and van Dijk, 2010).
 * Source: Heston, "A closed-form solution for options with stochastic volatility" (1993).
 */
import { exp } from '../../math.ts';
import { cat } from '../../tensor/functions.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { defineProcess } from './process.ts';

/** The columns of a state: S and max(v, 0), each `[paths, 1]`. */
function columns(x: Tensor): [Tensor, Tensor] {
  return [x.slice([0, 0], [x.shape[0], 1]), x.slice([0, 1]).maximum(0)];
}

/**
 * Heston's model: a price and its random variance, two components.
 * @throws ValueError for parameters out of range
 */
export const heston = defineProcess({
  name: 'heston',
  title: 'Heston model',
  formula: 'dS = mu S dt + √v S dW1,  dv = kappa (theta - v) dt + xi √v dW2,  dW1 dW2 = rho dt',
  parameters: {
    s0: { value: 100, unit: 'S', meaning: 'start: the price today', range: 'positive' },
    v0: { value: 0.04, unit: '1/t', meaning: 'start of the variance', range: 'not negative' },
    mu: { value: 0.05, unit: '1/t', meaning: 'expected return' },
    kappa: { value: 2, unit: '1/t', meaning: 'rate of return to theta', range: 'positive' },
    theta: { value: 0.04, unit: '1/t', meaning: 'long-run variance', range: 'positive' },
    xi: { value: 0.3, unit: '1/t', meaning: 'volatility of the variance', range: 'not negative' },
    rho: { value: -0.7, unit: '', meaning: 'correlation of price and variance', range: 'correlation' },
  },
  time: 2,
  build: ({ s0, v0, mu, kappa, theta, xi, rho }) => ({
    noise: 'general',
    motions: 2,
    components: ['price S', 'variance v'],
    start: [s0, v0],
    drift(x) {
      const [s, v] = columns(x);
      return cat([s.mul(mu), v.mul(-kappa).add(kappa * theta)], 1);
    },
    diffusion(x) {
      const [s, v] = columns(x);
      const root = v.sqrt();
      const first = cat([root.mul(s), root.mul(xi * rho)], 1);
      const second = cat([root.mul(0), root.mul(xi * Math.sqrt(1 - rho * rho))], 1);
      return cat([first, second]).reshape(2, -1, 2);
    },
    // c_S = S(v + xi·rho/2), c_v = xi²/2
    correction(x) {
      const [s, v] = columns(x);
      const ofVariance = v.mul(0).add((xi * xi) / 2);
      return cat([s.mul(v.add((xi * rho) / 2)), ofVariance], 1);
    },
    law: (s, from, to) => ({ mean: s * exp(mu * (to - from)), variance: null }),
  }),
});
