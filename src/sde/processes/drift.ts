/**
 * The lecture's SDE with drift, dX = aX dt + σ dW with a = 0.1, σ = 1 and start 10. The drift grows with X, and the
 * noise is constant. X(t) is normal with mean x0 e^(at) and variance σ²(e^(2at) - 1)/(2a).
 */
import { exp } from '../../math.ts';
import { grown, linearProcess } from './linear.ts';
import { defineProcess } from './process.ts';

/** The SDE with drift, dX = aX dt + σ dW. @throws ValueError for parameters out of range */
export const drift = defineProcess({
  name: 'drift',
  title: 'SDE with drift',
  formula: 'dX = a X dt + sigma dW',
  parameters: {
    x0: { value: 10, unit: 'X', meaning: 'start' },
    a: { value: 0.1, unit: '1/t', meaning: 'rate of growth' },
    sigma: { value: 1, unit: 'X/√t', meaning: 'strength of the noise', range: 'positive' },
  },
  time: 10,
  build: ({ x0, a, sigma }) => ({
    ...linearProcess(() => ({ a0: 0, a1: a, b0: sigma }), {
      scale: (s, t) => exp(a * (t - s)),
      shift: () => 0,
      variance: (s, t) => sigma * sigma * grown(2 * a, t - s),
    }),
    start: [x0],
  }),
});
