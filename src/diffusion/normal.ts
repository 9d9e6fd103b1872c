/**
 * Probabilities of intervals under a normal distribution, in float64. They are accurate in the tails too.
 */
import { erfc, log } from '../math.ts';

/** P(a < z < b) for a standard normal z. It uses the tail nearer to the interval, so small values keep their digits. */
export function normalInterval(a: number, b: number): number {
  if (a > 0) return 0.5 * (erfc(a * Math.SQRT1_2) - erfc(b * Math.SQRT1_2));
  if (b < 0) return normalInterval(-b, -a);
  return 1 - 0.5 * (erfc(-a * Math.SQRT1_2) + erfc(b * Math.SQRT1_2));
}

/** A smaller probability is replaced by this one before the logarithm. */
const FLOOR = 1e-300;

/**
 * ln of the probability of a value under a discretised normal. Values lie in [-1, 1] in steps of `bin`. The probability
 * is that of the bin around the value. The outer bins are open (Ho et al. 2020, equation 13).
 */
export function logDiscretisedNormal(value: number, mean: number, std: number, bin: number): number {
  const lower = value <= -1 + bin / 4 ? -Infinity : (value - bin / 2 - mean) / std;
  const upper = value >= 1 - bin / 4 ? Infinity : (value + bin / 2 - mean) / std;
  return log(Math.max(FLOOR, normalInterval(lower, upper)));
}
