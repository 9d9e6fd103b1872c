/**
 * The variance preserving SDE, dX = -½β(t)X dt + √β(t) dW with β(t) = βmin + (βmax - βmin)t on [0, 1]. DDPM's noising
 * converges to it for many small steps. X(t) given X(0) = x is normal with mean e^(-B/2)x and variance 1 - e^(-B),
 * where B(t) = ∫₀ᵗβ = βmin t + ½(βmax - βmin)t². If the data has variance 1, X(t) has variance 1 at all times.
 * Source: Song et al., "Score-based generative modeling through stochastic differential equations" (2021),
 * equations 11 and 33.
 */
import { exp, expm1 } from '../../math.ts';
import { linearProcess } from './linear.ts';
import { defineProcess } from './process.ts';

/** The linear schedule of β and its integral from 0. */
export const schedule = (betaMin: number, betaMax: number) => ({
  beta: (t: number) => betaMin + (betaMax - betaMin) * t,
  integral: (t: number) => betaMin * t + ((betaMax - betaMin) * t * t) / 2,
});

/** The parameters of the SDEs with this schedule. */
export const SCHEDULE_PARAMETERS = {
  x0: { value: 1, unit: 'X', meaning: 'start' },
  betaMin: { value: 0.1, unit: '1/t', meaning: 'rate of noising at t = 0', range: 'positive' },
  betaMax: { value: 20, unit: '1/t', meaning: 'rate of noising at t = 1', range: 'positive' },
} as const;

/**
 * The variance preserving SDE of diffusion models, Song et al. (2021).
 * @throws ValueError for parameters out of range
 */
export const variancePreserving = defineProcess({
  name: 'vp',
  title: 'Variance preserving SDE',
  formula: 'dX = -½ beta(t) X dt + √beta(t) dW,  beta(t) = betaMin + (betaMax - betaMin) t',
  parameters: SCHEDULE_PARAMETERS,
  time: 1,
  build: ({ x0, betaMin, betaMax }) => {
    const { beta, integral } = schedule(betaMin, betaMax);
    const between = (s: number, t: number) => integral(t) - integral(s);
    return {
      ...linearProcess((t) => ({ a0: 0, a1: -beta(t) / 2, b0: Math.sqrt(beta(t)) }), {
        scale: (s, t) => exp(-between(s, t) / 2),
        shift: () => 0,
        variance: (s, t) => -expm1(-between(s, t)),
      }),
      start: [x0],
      end: 1,
    };
  },
});
