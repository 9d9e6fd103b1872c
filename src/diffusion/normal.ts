/**
 * Probabilities of intervals under a normal distribution, in float64, also far out in its tails.
 */
import { erfc, log } from '../math.ts';

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
