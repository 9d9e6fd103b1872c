/**
 * Probabilities of intervals under a normal distribution, in float64, also far out in its tails.
 *
 * erfc by the series erf(x) = 2/√π·e^(-x²)·Σ 2^n·x^(2n+1)/(2n+1)!! for x < 2, else by the continued fraction
 * erfc(x) = e^(-x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), both of positive terms: the relative error
 * found in test/diffusion-objective.test.ts is below 1e-13. Source: Abramowitz and Stegun (1964), 7.1.6 and 7.1.14.
 */
import { exp, log } from '../math.ts';

const SQRT_PI = 1.7724538509055159;

/** The complementary error function, 2/√π·∫ e^(-u²) du from x to infinity. */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2) {
    let [sum, term] = [0, x];
    for (let n = 0; sum + term !== sum; n++) {
      sum += term;
      term *= (2 * x * x) / (2 * n + 3);
    }
    return 1 - (2 / SQRT_PI) * exp(-x * x) * sum;
  }
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / 2 / fraction;
  return exp(-x * x) / SQRT_PI / fraction;
}

/** P(a < z < b) for a standard normal z; from the nearer tail, so that small ones keep their digits. */
export function normalInterval(a: number, b: number): number {
  if (a > 0) return 0.5 * (erfc(a * Math.SQRT1_2) - erfc(b * Math.SQRT1_2));
  if (b < 0) return normalInterval(-b, -a);
  return 1 - 0.5 * (erfc(-a * Math.SQRT1_2) + erfc(b * Math.SQRT1_2));
}

/** The smallest probability whose logarithm is taken. */
const FLOOR = 1e-300;

/**
 * ln of the probability that a discretised normal gives to a value of [-1, 1] in steps of `bin`: that of the bin
 * around it, open at both ends of the range (Ho et al. 2020, equation 13).
 */
export function logDiscretisedNormal(value: number, mean: number, std: number, bin: number): number {
  const lower = value <= -1 + bin / 4 ? -Infinity : (value - bin / 2 - mean) / std;
  const upper = value >= 1 - bin / 4 ? Infinity : (value + bin / 2 - mean) / std;
  return log(Math.max(FLOOR, normalInterval(lower, upper)));
}
