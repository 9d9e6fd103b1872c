/**
 * Langevin dynamics in a double well, dX = -V'(X) dt + √(2T) dW with V(x) = h(x² - 1)². The potential has minima at ±1
 * and a barrier of height h between them. For t to infinity the density of X is proportional to e^(-V/T) (Gibbs).
 *
 * No closed form is known for finite times. The drift grows like -x³. So the moments of Euler-Maruyama explode for any
 * step size, if a path starts far enough from 0. `tamed-euler` solves such equations.
 * Source: Langevin (1908); Kramers (1940).
 */
import { exp } from '../../math.ts';
import { full } from '../../tensor/create.ts';
import type { Law } from '../law.ts';
import { defineProcess } from './process.ts';

/** The Gibbs law of the double well, by the trapezoidal rule where the density exceeds 1e-30 of its maximum. */
function gibbs(h: number, temperature: number): Law {
  const weight = (x: number) => exp((-h * (x * x - 1) * (x * x - 1)) / temperature);
  const reach = Math.sqrt(1 + Math.sqrt((70 * temperature) / h));
  const n = 4000;
  const dx = (2 * reach) / n;
  const below = new Float64Array(n + 1);
  let [total, second] = [0, 0];
  for (let i = 1; i <= n; i++) {
    const x = -reach + i * dx;
    total += ((weight(x) + weight(x - dx)) / 2) * dx;
    second += weight(x) * x * x * dx;
    below[i] = total;
  }
  const density = (x: number) => weight(x) / total;
  return {
    mean: 0,
    variance: second / total,
    density,
    cdf(x) {
      if (x <= -reach) return 0;
      const at = Math.min(n, Math.floor((x + reach) / dx));
      const rest = x + reach - at * dx;
      return Math.min(1, (below[at] + weight(x - rest / 2) * rest) / total);
    },
  };
}

/**
 * Langevin dynamics in a double well, dX = -V'(X) dt + √(2T) dW with V(x) = h(x² - 1)².
 * @throws ValueError for parameters out of range
 */
export const doubleWell = defineProcess({
  name: 'double-well',
  title: 'Double well, Langevin dynamics',
  formula: "dX = -V'(X) dt + √(2T) dW,  V(x) = h (x² - 1)²",
  parameters: {
    x0: { value: -1, unit: 'X', meaning: 'start' },
    h: { value: 1, unit: 'X²/t', meaning: 'height of the barrier', range: 'positive' },
    T: { value: 0.5, unit: 'X²/t', meaning: 'temperature', range: 'positive' },
  },
  time: 20,
  build: ({ x0, h, T }) => ({
    noise: 'additive',
    drift: (x) =>
      x
        .mul(x)
        .sub(1)
        .mul(x)
        .mul(-4 * h),
    diffusion: () => full([], Math.sqrt(2 * T)),
    start: [x0],
    stationary: gibbs(h, T),
  }),
});
