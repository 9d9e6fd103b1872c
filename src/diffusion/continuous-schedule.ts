/**
 * Noise schedules in continuous time: the marginals of dx = f(t)·x dt + g(t) dW, with f = d ln(alpha)/dt and
 * g² = d(sigma²)/dt - 2f·sigma².
 *
 *   vp      alpha = exp(-B/2), sigma² = 1 - alpha², B = ∫ beta from 0 to t, beta = betaMin + t(betaMax - betaMin)
 *   sub-vp  the same alpha, sigma = 1 - alpha²
 *   ve      alpha = 1, sigma = sigmaMin·(sigmaMax/sigmaMin)^t
 *   edm     alpha = 1, sigma = t
 *   flow    alpha = 1 - t, sigma = t: the straight line from data to noise (rectified flow)
 *
 * Sources: Song et al., "Score-based generative modeling through stochastic differential equations" (2021), appendix C;
 * Karras et al. (2022); Liu, Gong and Liu, "Flow straight and fast" (2022). Two conventions differ from the papers.
 * `ve` begins at the variance sigmaMin², as in the code of Song et al.; in the paper it is 0. `flow` has the data at t
 * = 0.
 *
 * Times go from tMin > 0, where the noise is small but not 0, to tMax. Left out on purpose: learnt schedules.
 */
import { ValueError } from '../errors.ts';
import { exp, expm1, log, log1p } from '../math.ts';
import { oneOf, withDefaults } from '../options.ts';
import type { NoiseLevel } from './level.ts';
import type { NoiseSchedule } from './schedule.ts';

/** A schedule in continuous time: the marginals of dx = f(t)·x dt + g(t) dW. */
export interface ContinuousSchedule extends NoiseSchedule {
  readonly times: null;
  /** f(t): the drift is f·x. */
  drift(t: number): number;
  /** g(t)², the square of the diffusion. */
  diffusionSquared(t: number): number;
}

/** Options of the continuous schedules. */
export interface ContinuousOptions {
  /** The time with the least noise. Default 1e-3; 1e-5 for `ve`, 0.002 for `edm`. */
  readonly tMin?: number;
  /** The time with the most noise. Default 1; 80 for `edm`. */
  readonly tMax?: number;
  /** For `vp` and `sub-vp`: betaMin and betaMax, per unit of time. Default 0.1 and 20. */
  readonly betaMin?: number;
  /** Default 20. */
  readonly betaMax?: number;
  /** For `ve`: sigmaMin and sigmaMax. Default 0.01 and 50. */
  readonly sigmaMin?: number;
  /** Default 50. */
  readonly sigmaMax?: number;
}

/** The functions of one kind of schedule. */
interface Marginal {
  readonly defaults: readonly [tMin: number, tMax: number];
  readonly largestTime: number;
  readonly exploding: boolean;
  alpha(t: number): number;
  sigma(t: number): number;
  /** The time at which sigma/alpha is `value`. */
  timeOf(value: number): number;
  drift(t: number): number;
  diffusionSquared(t: number): number;
}

type Parameters = Required<Omit<ContinuousOptions, 'tMin' | 'tMax'>>;

/** B(t) = ∫ beta, its inverse, and beta. */
function betaIntegral({ betaMin, betaMax }: Parameters) {
  const slope = betaMax - betaMin;
  return {
    beta: (t: number) => betaMin + t * slope,
    integral: (t: number) => t * (betaMin + 0.5 * t * slope),
    // The root of the quadratic, in the form that is valid for slope 0 too.
    inverse: (B: number) => (2 * B) / (betaMin + Math.sqrt(betaMin * betaMin + 2 * slope * B)),
  };
}

const KINDS: Record<string, (parameters: Parameters) => Marginal> = {
  vp(parameters) {
    const { beta, integral, inverse } = betaIntegral(parameters);
    return {
      defaults: [1e-3, 1],
      largestTime: Infinity,
      exploding: false,
      alpha: (t) => exp(-0.5 * integral(t)),
      sigma: (t) => Math.sqrt(-expm1(-integral(t))),
      timeOf: (value) => inverse(value > 1e100 ? 2 * log(value) : log1p(value * value)),
      drift: (t) => -0.5 * beta(t),
      diffusionSquared: beta,
    };
  },
  'sub-vp'(parameters) {
    const { beta, integral, inverse } = betaIntegral(parameters);
    return {
      defaults: [1e-3, 1],
      largestTime: Infinity,
      exploding: false,
      alpha: (t) => exp(-0.5 * integral(t)),
      sigma: (t) => -expm1(-integral(t)),
      // 1/alpha - alpha = value gives alpha = 2/(value + √(value² + 4)), and B = -2 ln(alpha).
      timeOf: (value) => inverse(2 * log((value + Math.sqrt(value * value + 4)) / 2)),
      drift: (t) => -0.5 * beta(t),
      diffusionSquared: (t) => -beta(t) * expm1(-2 * integral(t)),
    };
  },
  ve({ sigmaMin, sigmaMax }) {
    const rate = log(sigmaMax / sigmaMin);
    const sigma = (t: number) => sigmaMin * exp(rate * t);
    return {
      defaults: [1e-5, 1],
      largestTime: Infinity,
      exploding: true,
      alpha: () => 1,
      sigma,
      timeOf: (value) => log(value / sigmaMin) / rate,
      drift: () => 0,
      diffusionSquared: (t) => 2 * rate * sigma(t) * sigma(t),
    };
  },
  edm: () => ({
    defaults: [0.002, 80],
    largestTime: Infinity,
    exploding: true,
    alpha: () => 1,
    sigma: (t) => t,
    timeOf: (value) => value,
    drift: () => 0,
    diffusionSquared: (t) => 2 * t,
  }),
  flow: () => ({
    defaults: [1e-3, 1],
    largestTime: 1,
    exploding: false,
    alpha: (t) => 1 - t,
    sigma: (t) => t,
    timeOf: (value) => (value === Infinity ? 1 : value / (1 + value)),
    drift: (t) => -1 / (1 - t),
    diffusionSquared: (t) => (2 * t) / (1 - t),
  }),
};

/** The names of the continuous schedules. */
export const CONTINUOUS_SCHEDULES = ['vp', 'sub-vp', 've', 'edm', 'flow'] as const;
/** The name of a continuous schedule. */
export type ContinuousName = (typeof CONTINUOUS_SCHEDULES)[number];

/**
 * The continuous schedule of that name.
 * @throws ValueError for an unknown name, or a lower bound above its upper bound
 */
export function continuousSchedule(
  name: ContinuousName,
  options: ContinuousOptions = {},
): ContinuousSchedule {
  const known = oneOf('continuous schedule', CONTINUOUS_SCHEDULES, name);
  const parameters = withDefaults(`schedule ${known}`, options, {
    tMin: undefined,
    tMax: undefined,
    betaMin: 0.1,
    betaMax: 20,
    sigmaMin: 0.01,
    sigmaMax: 50,
  });
  const { betaMin, betaMax, sigmaMin, sigmaMax } = parameters;
  const finite = betaMax < Infinity && sigmaMax < Infinity;
  if (!(betaMin > 0 && betaMin <= betaMax && sigmaMin > 0 && sigmaMin < sigmaMax && finite)) {
    throw new ValueError(
      `schedule ${known}: expected 0 < betaMin <= betaMax and 0 < sigmaMin < sigmaMax, got ${betaMin}, ${betaMax} and ${sigmaMin}, ${sigmaMax}`,
    );
  }
  return build(known, KINDS[known](parameters), options);
}

function build(name: string, marginal: Marginal, options: ContinuousOptions): ContinuousSchedule {
  const { tMin = marginal.defaults[0], tMax = marginal.defaults[1] } = options;
  if (!(tMin > 0 && tMin < tMax && tMax <= marginal.largestTime && tMax < Infinity)) {
    const most = marginal.largestTime === Infinity ? '' : ` <= ${marginal.largestTime}`;
    throw new ValueError(`schedule ${name}: expected times 0 < tMin < tMax${most}, got ${tMin} and ${tMax}`);
  }
  const at = (t: number): NoiseLevel => ({ t, alpha: marginal.alpha(t), sigma: marginal.sigma(t) });
  return {
    name,
    tMin,
    tMax,
    times: null,
    priorStd: marginal.exploding ? marginal.sigma(tMax) : 1,
    drift: marginal.drift,
    diffusionSquared: marginal.diffusionSquared,
    level(t) {
      if (t >= tMin && t <= tMax) return at(t);
      throw new ValueError(`schedule ${name}: expected a time from ${tMin} to ${tMax}, got ${t}`);
    },
    levelOfRatio(value) {
      if (!(value > 0)) throw new ValueError(`schedule ${name}: expected sigma/alpha > 0, got ${value}`);
      const t = marginal.timeOf(value);
      const level = at(t);
      return t >= tMin && t <= tMax ? level : { ...level, t: Math.min(Math.max(t, tMin), tMax) };
    },
  };
}
