/**
 * A share of n independent trials with Wilson's 95 % interval, the values p for which the share lies within z standard
 * deviations √(p(1 - p)/n) of p:
 *
 *     (p̂ + z²/2n ± z·√(p̂(1 - p̂)/n + z²/4n²)) / (1 + z²/n),   z = 1.96
 *
 * It stays within 0 and 1, and is not empty where all trials succeed. Source: E. B. Wilson, JASA 22 (1927).
 */
import { ValueError } from '../../errors.ts';

/** A share, and the interval that the probability behind it lies in. */
export interface Proportion {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly trials: number;
}

const Z = 1.959963984540054;

/** @throws ValueError unless `successes` is a whole number from 0 to `trials` >= 1 */
export function proportion(successes: number, trials: number): Proportion {
  const whole = Number.isInteger(successes) && Number.isInteger(trials);
  if (!whole || trials < 1 || successes < 0 || successes > trials) {
    throw new ValueError(`proportion: expected a count of 1 or more trials, got ${successes} of ${trials}`);
  }
  const value = successes / trials;
  const z2 = (Z * Z) / trials;
  const half = Z * Math.sqrt((value * (1 - value)) / trials + z2 / (4 * trials));
  const [low, high] = [-1, 1].map((side) => (value + z2 / 2 + side * half) / (1 + z2));
  // Rounding may not put the share itself outside.
  return { value, low: Math.min(value, Math.max(0, low)), high: Math.max(value, Math.min(1, high)), trials };
}
