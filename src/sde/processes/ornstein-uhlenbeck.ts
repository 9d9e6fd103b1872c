/**
 * The Ornstein-Uhlenbeck process, dX = θ(μ - X) dt + σ dW: Brownian motion that is pulled back to μ. X(t) is normal
 * with mean μ + (x0 - μ)e^(-θt) and variance σ²(1 - e^(-2θt))/(2θ). For t to infinity its law does not depend on x0.
 * Source: Uhlenbeck and Ornstein (1930).
 */
import { exp } from '../../math.ts';
import { normalLaw } from '../law.ts';
import { grown, linearProcess } from './linear.ts';
import { defineProcess } from './process.ts';

/**
 * The Ornstein-Uhlenbeck process, dX = θ(μ - X) dt + σ dW, which returns to μ.
 * @throws ValueError for parameters out of range
 */
export const ornsteinUhlenbeck = defineProcess({
  name: 'ou',
  title: 'Ornstein-Uhlenbeck process',
  formula: 'dX = theta (mu - X) dt + sigma dW',
  parameters: {
    x0: { value: 3, unit: 'X', meaning: 'start' },
    theta: { value: 1, unit: '1/t', meaning: 'rate of return to mu', range: 'positive' },
    mu: { value: 0, unit: 'X', meaning: 'long-run mean' },
    sigma: { value: 1, unit: 'X/√t', meaning: 'strength of the noise', range: 'positive' },
  },
  time: 5,
  build: ({ x0, theta, mu, sigma }) => ({
    ...linearProcess(() => ({ a0: theta * mu, a1: -theta, b0: sigma }), {
      scale: (s, t) => exp(-theta * (t - s)),
      shift: (s, t) => mu * theta * grown(-theta, t - s),
      variance: (s, t) => sigma * sigma * grown(-2 * theta, t - s),
    }),
    start: [x0],
    stationary: normalLaw(mu, (sigma * sigma) / (2 * theta)),
  }),
});
