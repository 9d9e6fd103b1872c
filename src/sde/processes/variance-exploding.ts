/**
 * The variance exploding SDE, dX = σ(t)√(2 ln(σmax/σmin)) dW with σ(t) = σmin(σmax/σmin)^t on [0, 1]. The noise grows
 * until it is much larger than the data. X(t) given X(s) = x is normal with mean x and variance σ²(t) - σ²(s).
 * Source: Song et al., "Score-based generative modeling through stochastic differential equations" (2021),
 * equations 9 and 30.
 */
import { ValueError } from '../../errors.ts';
import { exp, log } from '../../math.ts';
import { linearProcess } from './linear.ts';
import { defineProcess } from './process.ts';

/**
 * The variance exploding SDE of diffusion models, Song et al. (2021).
 * @throws ValueError for parameters out of range, or sigmaMax <= sigmaMin
 */
export const varianceExploding = defineProcess({
  name: 've',
  title: 'Variance exploding SDE',
  formula: 'dX = sigma(t) √(2 ln(sigmaMax/sigmaMin)) dW,  sigma(t) = sigmaMin (sigmaMax/sigmaMin)^t',
  parameters: {
    x0: { value: 1, unit: 'X', meaning: 'start' },
    sigmaMin: { value: 0.01, unit: 'X', meaning: 'noise at t = 0', range: 'positive' },
    sigmaMax: { value: 5, unit: 'X', meaning: 'noise at t = 1', range: 'positive' },
  },
  time: 1,
  build: ({ x0, sigmaMin, sigmaMax }) => {
    if (sigmaMax <= sigmaMin) {
      throw new ValueError(`ve: expected sigmaMin < sigmaMax, got ${sigmaMin} and ${sigmaMax}`);
    }
    const rate = log(sigmaMax / sigmaMin);
    const square = (t: number) => sigmaMin * sigmaMin * exp(2 * rate * t);
    return {
      ...linearProcess((t) => ({ a0: 0, a1: 0, b0: Math.sqrt(2 * rate * square(t)) }), {
        scale: () => 1,
        shift: () => 0,
        variance: (s, t) => square(t) - square(s),
      }),
      start: [x0],
      end: 1,
    };
  },
});
