/**
 * The Cox-Ingersoll-Ross process, dX = κ(θ - X) dt + σ√X dW: a model of an interest rate, or of a variance. It stays
 * above 0 if 2κθ >= σ² (Feller's condition); other parameters are refused. X(t) given X(s) = x is c times a
 * noncentral chi-square variable, with c = σ²(1 - e^(-κh))/(4κ), h = t - s, k = 4κθ/σ² degrees of freedom and
 * noncentrality x e^(-κh)/c.
 *
 * A discrete scheme can still step below 0. So drift and diffusion use max(X, 0) in place of X ("full truncation",
 * Lord, Koekkoek and van Dijk, 2010). Exact sampling inverts the distribution function, one number at a time.
 * Source: Cox, Ingersoll and Ross (1985); Feller (1951).
 */
import { ValueError } from '../../errors.ts';
import { exp } from '../../math.ts';
import { empty, full } from '../../tensor/create.ts';
import { type Law, normalLaw, scaledChiSquareLaw } from '../law.ts';
import { normalCdf } from '../special.ts';
import { grown } from './linear.ts';
import { defineProcess } from './process.ts';

interface Rate {
  readonly kappa: number;
  readonly theta: number;
  readonly sigma: number;
}

/** The exact law of X(s + h) given X(s) = x. */
export function cirLaw({ kappa, theta, sigma }: Rate, x: number, h: number): Law {
  if (h <= 0) return normalLaw(x, 0);
  const c = (sigma * sigma * grown(-kappa, h)) / 4;
  return scaledChiSquareLaw(c, (4 * kappa * theta) / (sigma * sigma), (x * exp(-kappa * h)) / c);
}

/** The x with F(x) = u, by Newton's method in a bracket. If a step would leave the bracket, bisection replaces it. */
function quantile(law: Law, u: number, z: number): number {
  const sigma = Math.sqrt(law.variance!);
  let [low, high] = [0, law.mean + (Math.abs(z) + 2) * 4 * sigma];
  let x = Math.max(law.mean + z * sigma, law.mean * 1e-3);
  for (let i = 0; i < 60; i++) {
    const excess = law.cdf!(x) - u;
    if (excess > 0) high = x;
    else low = x;
    const next = x - excess / law.density!(x);
    const to = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(to - x) <= 1e-9 * law.mean) return to;
    x = to;
  }
  return x;
}

/**
 * The Cox-Ingersoll-Ross process, dX = κ(θ - X) dt + σ√X dW, which stays above 0.
 * @throws ValueError for parameters out of range, or 2κθ < σ²
 */
export const coxIngersollRoss = defineProcess({
  name: 'cir',
  title: 'Cox-Ingersoll-Ross process',
  formula: 'dX = kappa (theta - X) dt + sigma √X dW',
  parameters: {
    x0: { value: 1, unit: 'X', meaning: 'start', range: 'not negative' },
    kappa: { value: 1, unit: '1/t', meaning: 'rate of return to theta', range: 'positive' },
    theta: { value: 1, unit: 'X', meaning: 'long-run mean', range: 'positive' },
    sigma: { value: 0.5, unit: '√(X/t)', meaning: 'strength of the noise', range: 'positive' },
  },
  time: 5,
  build: (p) => {
    const { x0, kappa, theta, sigma } = p;
    if (2 * kappa * theta < sigma * sigma) {
      throw new ValueError(
        `cir: expected 2·kappa·theta >= sigma² (Feller's condition, which keeps X above 0), got ${2 * kappa * theta} and ${sigma * sigma}`,
      );
    }
    return {
      noise: 'diagonal',
      drift: (x) =>
        x
          .maximum(0)
          .mul(-kappa)
          .add(kappa * theta),
      diffusion: (x) => x.maximum(0).sqrt().mul(sigma),
      correction: () => full([], (sigma * sigma) / 2),
      start: [x0],
      law: (x, s, t) => cirLaw(p, x, t - s),
      stationary: scaledChiSquareLaw((sigma * sigma) / (4 * kappa), (4 * kappa * theta) / (sigma * sigma), 0),
      transition: (x, _t, dt, dW) => {
        const [from, w] = [x.toTypedArray(), dW.toTypedArray()];
        const root = Math.sqrt(dt);
        return empty(x.shape).set(
          Float64Array.from(from, (value, i) => {
            const z = w[i] / root;
            return quantile(cirLaw(p, value, dt), normalCdf(z), z);
          }),
        );
      },
    };
  },
});
