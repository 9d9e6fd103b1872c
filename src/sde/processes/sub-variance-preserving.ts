/**
 * The sub-VP SDE, dX = -½β(t)X dt + √(β(t)(1 - e^(-2B(t)))) dW, with β and B as in variance-preserving.ts. It has the
 * mean of the VP SDE and less noise. X(t) given X(0) = x is normal with mean e^(-B/2)x and variance (1 - e^(-B))².
 * Source: Song et al., "Score-based generative modeling through stochastic differential equations" (2021),
 * equations 12 and 29.
 */
import { exp, expm1 } from '../../math.ts';
import { linearProcess } from './linear.ts';
import { defineProcess } from './process.ts';
import { SCHEDULE_PARAMETERS, schedule } from './variance-preserving.ts';

/** The sub-VP SDE of diffusion models, Song et al. (2021). @throws ValueError for parameters out of range */
export const subVariancePreserving = defineProcess({
  name: 'sub-vp',
  title: 'Sub-VP SDE',
  formula: 'dX = -½ beta(t) X dt + √(beta(t) (1 - e^(-2B(t)))) dW,  B(t) = ∫ beta',
  parameters: SCHEDULE_PARAMETERS,
  time: 1,
  build: ({ x0, betaMin, betaMax }) => {
    const { beta, integral } = schedule(betaMin, betaMax);
    const square = (x: number) => x * x;
    const b0 = (t: number) => Math.sqrt(beta(t) * -expm1(-2 * integral(t)));
    const scale = (s: number, t: number) => exp(-(integral(t) - integral(s)) / 2);
    return {
      ...linearProcess((t) => ({ a0: 0, a1: -beta(t) / 2, b0: b0(t) }), {
        scale,
        shift: () => 0,
        // Var(t) = scale²·Var(s) + the noise since s. Var(t) and Var(s) from time 0 are known: solve for the noise.
        variance: (s, t) =>
          Math.max(0, square(expm1(-integral(t))) - square(scale(s, t)) * square(expm1(-integral(s)))),
      }),
      start: [x0],
      end: 1,
    };
  },
});
