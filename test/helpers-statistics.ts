/**
 * Statistics for the tests of random numbers: distribution functions and statistical tests. All return p-values or
 * standard scores, so that a suite can state how improbable its observation is.
 */

/** The standard normal distribution function, by its series. The absolute error is below 1e-15. Marsaglia (2004). */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let i = 3; sum + term !== sum; i += 2) sum += term *= (x * x) / i;
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/**
 * The p-value of a Kolmogorov-Smirnov test of `values` against the distribution function `cdf`, by the
 * asymptotic distribution with Stephens's correction (1970).
 */
export function ksTest(values: Float64Array, cdf: (x: number) => number): number {
  const sorted = values.slice().sort();
  const n = sorted.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    const f = cdf(sorted[i]!);
    distance = Math.max(distance, f - i / n, (i + 1) / n - f);
  }
  const lambda = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * distance;
  // The series converges fast, except near 0. There the result is 1.
  if (lambda < 0.2) return 1;
  let q = 0;
  for (let j = 1; j <= 100; j++) q += (j % 2 === 1 ? 2 : -2) * Math.exp(-2 * j * j * lambda * lambda);
  return Math.min(1, Math.max(0, q));
}

/** The distance of a count from its expectation, in standard deviations of a binomial distribution. */
export function binomialScore(count: number, n: number, p: number): number {
  return (count - n * p) / Math.sqrt(n * p * (1 - p));
}

/**
 * The p-value of a count of rare events. It is the probability of a count at least as far from the expectation on the
 * same side, times 2 for the two sides. It is exact for a Poisson distribution.
 */
export function poissonTest(count: number, expected: number): number {
  let term = Math.exp(-expected);
  let atMost = term;
  for (let k = 1; k <= count; k++) atMost += term *= expected / k;
  return Math.min(1, 2 * Math.min(atMost, 1 - atMost + term));
}

/** A standard score: √n times the correlation of two samples. Their distribution has mean 0 and variance 1. */
export function correlationScore(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = Math.min(a.length, b.length);
  let sum = 0;
  for (let i = 0; i < n; i++) sum += a[i]! * b[i]!;
  return sum / Math.sqrt(n);
}

/** Pearson's χ² of counts with equal expectations, as a standard score (Wilson and Hilferty, 1931). */
export function chiSquareScore(counts: ArrayLike<number>, n: number): number {
  const cells = counts.length;
  const expected = n / cells;
  let chi = 0;
  for (let i = 0; i < cells; i++) chi += (counts[i]! - expected) ** 2 / expected;
  const freedom = cells - 1;
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(chi / freedom) - (1 - spread)) / Math.sqrt(spread);
}
