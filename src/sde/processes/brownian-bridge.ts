/**
 * The Brownian bridge, dX = (b - X)/(T - t) dt + σ dW for t < T: Brownian motion conditioned to be b at time T.
 * X(t) given X(s) = x is normal with mean x + (b - x)(t - s)/(T - s) and variance σ²(t - s)(T - t)/(T - s).
 *
 * The drift is infinite at T. A solver such as Heun evaluates the drift at the end of its step. It cannot take the
 * last step to T, and the process refuses that step.
 * Source: Karatzas and Shreve, "Brownian Motion and Stochastic Calculus" (1991), 5.6.B.
 */
import { ValueError } from '../../errors.ts';
import { full } from '../../tensor/create.ts';
import { linearProcess } from './linear.ts';
import { defineProcess } from './process.ts';

/**
 * The Brownian bridge, dX = (b - X)/(T - t) dt + σ dW: Brownian motion that ends at b at time T.
 * @throws ValueError for parameters out of range
 */
export const brownianBridge = defineProcess({
  name: 'bridge',
  title: 'Brownian bridge',
  formula: 'dX = (b - X)/(T - t) dt + sigma dW',
  parameters: {
    x0: { value: 0, unit: 'X', meaning: 'start' },
    b: { value: 0, unit: 'X', meaning: 'end' },
    T: { value: 1, unit: 't', meaning: 'time of the end', range: 'positive' },
    sigma: { value: 1, unit: 'X/√t', meaning: 'strength of the noise', range: 'positive' },
  },
  time: 1,
  build: ({ x0, b, T, sigma }) => {
    const rate = (t: number) => {
      // A sum of steps can differ from T by a rounding error.
      if (t > T * (1 - 1e-12)) {
        throw new ValueError(
          `bridge: expected a time before T = ${T}, where the drift is infinite, got ${t}: end earlier, or use a solver that evaluates the drift only at the beginning of a step (euler-maruyama)`,
        );
      }
      return 1 / (T - t);
    };
    return {
      ...linearProcess((t) => ({ a0: b * rate(t), a1: -rate(t), b0: sigma }), {
        scale: (s, t) => 1 - (t - s) / (T - s),
        shift: (s, t) => (b * (t - s)) / (T - s),
        variance: (s, t) => Math.max(0, (sigma * sigma * (t - s) * (T - t)) / (T - s)),
      }),
      // Unlike the drift, the diffusion is finite at T too.
      diffusion: () => full([], sigma),
      start: [x0],
      end: T,
    };
  },
});
