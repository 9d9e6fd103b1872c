/**
 * Special functions in float64 for exact laws: the normal distribution, the incomplete gamma function and the
 * noncentral chi-square distribution. They use src/math.ts only, so the bits are the same on every engine.
 *
 * Accuracy: 1e-10 absolute for the distribution functions, for degrees of freedom and noncentrality up to 1e4.
 * Source: Press et al., "Numerical Recipes" (2007), 6.1 and 6.2, for the series and the continued fraction;
 * Lanczos (1964) for ln Γ, with Godfrey's coefficients for g = 7.
 */
import { exp, log } from '../math.ts';

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0. */
export function lnGamma(x: number): number {
  const z = x - 1;
  const t = z + 7.5;
  let sum = LANCZOS[0];
  for (let i = 1; i < 9; i++) sum += LANCZOS[i] / (z + i);
  return 0.9189385332046727 + (z + 0.5) * log(t) - t + log(sum);
}

/** x^a e^-x / Γ(a + 1) */
const gammaTerm = (a: number, x: number) => exp(a * log(x) - x - lnGamma(a + 1));

/** The regularised lower incomplete gamma function P(a, x), for a > 0. */
export function gammaP(a: number, x: number): number {
  if (x <= 0) return 0;
  if (x === Infinity) return 1;
  if (x < a + 1) {
    // P = x^a e^-x / Γ(a + 1) · (1 + x/(a + 1) + x²/((a + 1)(a + 2)) + ...)
    let [sum, term] = [1, 1];
    for (let n = 1; term > sum * 1e-17 && n < 100_000; n++) sum += term *= x / (a + n);
    return gammaTerm(a, x) * sum;
  }
  // Q = 1 - P by Lentz's continued fraction.
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 100_000; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / nonzero(an * d + b);
    c = nonzero(b + an / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return 1 - gammaTerm(a, x) * a * h;
}

const nonzero = (x: number) => (Math.abs(x) < 1e-300 ? 1e-300 : x);

/** The standard normal distribution function. */
export function normalCdf(x: number): number {
  const half = 0.5 * gammaP(0.5, (x * x) / 2);
  return x < 0 ? 0.5 - half : 0.5 + half;
}

/** The standard normal density. */
export const normalPdf = (x: number): number => 0.3989422804014327 * exp(-0.5 * x * x);

/**
 * Density and distribution function at x of the noncentral chi-square law with k degrees of freedom. The law is a
 * Poisson mixture of central laws, Σ_j e^-l l^j/j! · χ²_(k + 2j) with l = lambda/2. The sum begins at the largest
 * weight and continues in both directions.
 */
export function noncentralChiSquare(k: number, lambda: number, x: number): { pdf: number; cdf: number } {
  if (x <= 0) return { pdf: 0, cdf: 0 };
  const [l, y] = [lambda / 2, x / 2];
  const mode = Math.floor(l);
  const weight = l === 0 ? 1 : exp(mode * log(l) - l - lnGamma(mode + 1));
  // P(a + 1, y) = P(a, y) - y^a e^-y / Γ(a + 1). From one term to the next, multiply by y/(a + 1).
  const a = k / 2 + mode;
  const [p0, g0] = [gammaP(a, y), gammaTerm(a, y)];
  let [pdf, cdf] = [0, 0];
  for (let j = mode, w = weight, p = p0, g = g0; w > 1e-18; j++) {
    pdf += (w * g * (k / 2 + j)) / y / 2;
    cdf += w * p;
    p = Math.max(0, p - g);
    g *= y / (k / 2 + j + 1);
    w *= l / (j + 1);
  }
  for (let j = mode - 1, w = (weight * mode) / l, g = (g0 * a) / y, p = p0 + g; j >= 0 && w > 1e-18; j--) {
    pdf += (w * g * (k / 2 + j)) / y / 2;
    cdf += w * p;
    g *= (k / 2 + j) / y;
    p = Math.min(1, p + g);
    w *= j / l;
  }
  return { pdf, cdf: Math.min(1, cdf) };
}
