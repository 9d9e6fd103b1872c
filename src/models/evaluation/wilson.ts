/**
 * Wilson's 95 % confidence interval of a probability p, from the fraction p̂ of successes in n independent trials. It
 * has all p with |p̂ - p| <= z·√(p(1 - p)/n):
 *
 *     (p̂ + z²/2n ± z·√(p̂(1 - p̂)/n + z²/4n²)) / (1 + z²/n),   z = 1.96
 *
 * The interval is in [0, 1]. Its width is not 0 even if all trials succeed. Source: E. B. Wilson, JASA 22 (1927).
 */
import { ValueError } from '../../errors.ts';

/** A fraction of successes, and the 95 % confidence interval of the probability. */
export interface Proportion {
  /** successes/trials */
  readonly value: number;
  /** The lower end of the interval. */
  readonly low: number;
  /** The upper end of the interval. */
  readonly high: number;
  /** The number of trials. */
  readonly trials: number;
}

const Z = 1.959963984540054;

/**
 * The fraction of successes with its interval.
 * @throws ValueError unless `trials` is a whole number >= 1 and `successes` is a whole number from 0 to `trials`
 */
export function proportion(successes: number, trials: number): Proportion {
  const whole = Number.isInteger(successes) && Number.isInteger(trials);
  if (!whole || trials < 1 || successes < 0 || successes > trials) {
    throw new ValueError(
      `proportion: expected successes from 0 to trials, trials >= 1, got ${successes} of ${trials}`,
    );
  }
  const value = successes / trials;
  const z2 = (Z * Z) / trials;
  const half = Z * Math.sqrt((value * (1 - value)) / trials + z2 / (4 * trials));
  const [low, high] = [-1, 1].map((side) => (value + z2 / 2 + side * half) / (1 + z2));
  // Rounding errors must not put `value` outside the interval.
  return { value, low: Math.min(value, Math.max(0, low)), high: Math.max(value, Math.min(1, high)), trials };
}
