/**
 * The median of a sample, with a 95 % confidence interval of the median of its distribution. The interval is valid for
 * every distribution. It goes from the k-th smallest to the k-th largest value. k is the largest number with
 * P(B < k) <= 0.025, where B ~ Binomial(n, 1/2). Source: Conover, Practical Nonparametric Statistics, section 3.2.
 */
import { InternalError } from '../src/errors.ts';

const TAIL = 0.025;

export interface Median {
  readonly median: number;
  readonly interval: readonly [low: number, high: number];
}

/** @param sample at least six independent values, because with fewer values there is no such interval */
export function medianOf(sample: readonly number[]): Median {
  const n = sample.length;
  const sorted = sample.toSorted((a, b) => a - b);
  let k = 0;
  // P(B = k), and P(B <= k).
  let mass = 2 ** -n;
  let below = mass;
  while (below <= TAIL) {
    mass *= (n - k) / (k + 1);
    k++;
    below += mass;
  }
  if (k === 0) throw new InternalError(`medianOf: expected at least 6 values, got ${n}`);
  const median = (sorted[Math.floor((n - 1) / 2)] + sorted[Math.floor(n / 2)]) / 2;
  return { median, interval: [sorted[k - 1], sorted[n - k]] };
}
