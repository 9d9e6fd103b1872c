/**
 * Geometric Brownian motion, dX = μX dt + σX dW: a stock price in the model of Black and Scholes.
 * X(t) = x0 exp((μ - σ²/2)t + σW(t)), so ln X is normal. X has mean x0 e^(μt) and variance x0² e^(2μt)(e^(σ²t) - 1).
 * Source: Black and Scholes (1973); Kloeden and Platen (1992), equation 4.4.6.
 */
import { exp, log } from '../../math.ts';
import { lognormalLaw, normalLaw } from '../law.ts';
import { affine } from './linear.ts';
import { defineProcess } from './process.ts';

/** Geometric Brownian motion, dX = μX dt + σX dW. @throws ValueError for parameters out of range */
export const gbm = defineProcess({
  name: 'gbm',
  title: 'Geometric Brownian motion',
  formula: 'dX = mu X dt + sigma X dW',
  parameters: {
    x0: { value: 100, unit: 'X', meaning: 'start: the price today' },
    mu: { value: 0.05, unit: '1/t', meaning: 'expected return' },
    sigma: { value: 0.2, unit: '1/√t', meaning: 'volatility', range: 'not negative' },
  },
  time: 10,
  build: ({ x0, mu, sigma }) => ({
    noise: 'diagonal',
    drift: (x) => affine(x, mu, 0),
    diffusion: (x) => affine(x, sigma, 0),
    correction: (x) => affine(x, sigma * sigma, 0),
    affine: () => ({ a0: 0, a1: mu, b0: 0, b1: sigma }),
    start: [x0],
    law: (x, s, t) => {
      const variance = sigma * sigma * (t - s);
      if (x === 0) return normalLaw(0, 0);
      return lognormalLaw(log(Math.abs(x)) + mu * (t - s) - variance / 2, variance, Math.sign(x));
    },
    transition: (x, _t, dt, dW) =>
      x.mul(
        dW
          .mul(sigma)
          .add((mu - (sigma * sigma) / 2) * dt)
          .exp(),
      ),
    onPath: (x, t, w) => x * exp((mu - (sigma * sigma) / 2) * t + sigma * w),
  }),
});
