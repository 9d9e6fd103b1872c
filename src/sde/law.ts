/**
 * Exact laws of a real-valued process at one time: mean, variance, density and distribution function, in float64.
 * Plots draw them, and tests compare solvers with them.
 */
import { exp, log } from '../math.ts';
import { noncentralChiSquare, normalCdf, normalPdf } from './special.ts';

/**
 * What is known of a random number: its mean, and where there is a closed form the variance, the density and the
 * distribution function.
 */
export interface Law {
  /** The mean. */
  readonly mean: number;
  /** Null if no closed form is known. */
  readonly variance: number | null;
  /** The density at x, if it is known. */
  readonly density?: (x: number) => number;
  /** P(X <= x) */
  readonly cdf?: (x: number) => number;
}

/** The normal law. With variance 0 it is a point, which has no density. */
export function normalLaw(mean: number, variance: number): Law {
  if (!(variance > 0)) return { mean, variance };
  const sigma = Math.sqrt(variance);
  return {
    mean,
    variance,
    density: (x) => normalPdf((x - mean) / sigma) / sigma,
    cdf: (x) => normalCdf((x - mean) / sigma),
  };
}

/** The law of sign·e^N with N normal. */
export function lognormalLaw(mu: number, variance: number, sign = 1): Law {
  const mean = sign * exp(mu + variance / 2);
  if (!(variance > 0)) return { mean, variance: 0 };
  const sigma = Math.sqrt(variance);
  const at = (x: number) => (log(sign * x) - mu) / sigma;
  return {
    mean,
    variance: (exp(variance) - 1) * mean * mean,
    density: (x) => (sign * x > 0 ? normalPdf(at(x)) / (sigma * sign * x) : 0),
    cdf: (x) => (sign > 0 ? (x > 0 ? normalCdf(at(x)) : 0) : x < 0 ? 1 - normalCdf(at(x)) : 1),
  };
}

/** The law of c·Y, where Y is noncentral chi-square with k degrees of freedom and noncentrality lambda. */
export function scaledChiSquareLaw(c: number, k: number, lambda: number): Law {
  return {
    mean: c * (k + lambda),
    variance: 2 * c * c * (k + 2 * lambda),
    density: (x) => noncentralChiSquare(k, lambda, x / c).pdf / c,
    cdf: (x) => noncentralChiSquare(k, lambda, x / c).cdf,
  };
}

/**
 * The central interval of probability 95.45 %. That is mean ± 2σ for a normal law. Null if neither the variance nor
 * the distribution function is known.
 */
export function twoSigmaBand(law: Law): [number, number] | null {
  const { mean, variance, cdf } = law;
  if (variance === null) return null;
  const sigma = Math.sqrt(variance);
  if (!cdf) return [mean, mean];
  return [quantile(cdf, mean, sigma, normalCdf(-2)), quantile(cdf, mean, sigma, normalCdf(2))];
}

/** The x with cdf(x) = p, by bisection. The interval is first widened until it contains x. */
function quantile(cdf: (x: number) => number, mean: number, sigma: number, p: number): number {
  let [low, high] = [mean - 2 * sigma, mean + 2 * sigma];
  while (cdf(low) > p) low -= sigma;
  while (cdf(high) < p) high += sigma;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
