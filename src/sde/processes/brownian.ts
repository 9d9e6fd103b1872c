/**
 * Brownian motion, dX = σ dW from x0. X(t) is normal with mean x0 and variance σ²t.
 * Source: Wiener (1923); the lecture's first example.
 */
import { linearProcess } from './linear.ts';
import { defineProcess } from './process.ts';

/** Brownian motion, dX = σ dW. @throws ValueError for parameters out of range */
export const brownian = defineProcess({
  name: 'brownian',
  title: 'Brownian motion',
  formula: 'dX = sigma dW',
  parameters: {
    x0: { value: 0, unit: 'X', meaning: 'start' },
    sigma: { value: 1, unit: 'X/√t', meaning: 'strength of the noise', range: 'positive' },
  },
  time: 10,
  build: ({ x0, sigma }) => ({
    ...linearProcess(() => ({ a0: 0, a1: 0, b0: sigma }), {
      scale: () => 1,
      shift: () => 0,
      variance: (s, t) => sigma * sigma * (t - s),
    }),
    start: [x0],
    onPath: (x, _t, w) => x + sigma * w,
  }),
});
