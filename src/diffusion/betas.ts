/**
 * The betas of discrete variance preserving schedules, and Karras' sigmas. beta_t is the variance of the noise that
 * step t adds. alphaBar_t = (1 - beta_0)···(1 - beta_t) is the factor of the data's variance after step t.
 *
 * Sources: linear: Ho, Jain and Abbeel (2020). Scaled linear: Rombach et al. (2022). Cosine: Nichol and Dhariwal
 * (2021), equation 17. Sigmoid: Jabri, Fleet and Chen, "Scalable adaptive computation" (2022), start -3, end 3,
 * tau 1; `sigmoid-beta`, a sigmoid of the betas: Xu et al., "GeoDiff" (2022). Zero terminal SNR: Lin et al.,
 * "Common diffusion noise schedules and sample steps are flawed" (2023), algorithm 1. Karras et al. (2022), eq. 5.
 *
 * Left out on purpose: schedules that are trained with the model.
 */
import { ValueError } from '../errors.ts';
import { cos, exp, pow } from '../math.ts';
import { oneOf, withDefaults } from '../options.ts';
import { checkSteps } from './check.ts';

/** The names of the schedules of betas. */
export const BETA_SCHEDULES = ['linear', 'scaled-linear', 'cosine', 'sigmoid', 'sigmoid-beta'] as const;
/** The name of a schedule of betas. */
export type BetaSchedule = (typeof BETA_SCHEDULES)[number];

/** Options of `namedBetas`. */
export interface BetaOptions {
  /** The first and the last beta of `linear`, `scaled-linear` and `sigmoid-beta`, in place of their defaults. */
  readonly range?: readonly [number, number] | undefined;
  /** The largest allowed beta of `cosine` and `sigmoid`. Default 0.999. */
  readonly maxBeta?: number | undefined;
}

/** Each schedule has its own defaults. */
export const BETA_DEFAULTS = { range: undefined, maxBeta: undefined } as const;

/**
 * The betas of a schedule by name, [steps], float64.
 *
 * For 1000 steps `linear` goes from 1e-4 to 0.02. For another number of steps both ends are multiplied by 1000/steps.
 * Then the noise at the end is about the same. This needs 21 steps or more.
 * @throws ValueError for an unknown name, steps that are not a whole number >= 2, or betas outside (0, 1)
 */
export function namedBetas(name: BetaSchedule, steps: number, options: BetaOptions = {}): Float64Array {
  const known = oneOf('schedule', BETA_SCHEDULES, name);
  withDefaults(`schedule ${known}`, options, BETA_DEFAULTS);
  checkSteps(`schedule ${known}`, steps);
  const betas = MAKERS[known](steps, options);
  const wrong = betas.findIndex((beta) => !(beta > 0 && beta < 1));
  if (wrong >= 0) {
    const cure = options.range ? '' : ': use more steps, a range, or the cosine schedule';
    throw new ValueError(
      `schedule ${known}, ${steps} steps: expected betas in (0, 1), got ${betas[wrong]} at step ${wrong}${cure}`,
    );
  }
  return betas;
}

const MAKERS: Record<BetaSchedule, (steps: number, options: BetaOptions) => Float64Array> = {
  linear(steps, { range }) {
    const scale = 1000 / steps;
    const [first, last] = range ?? [scale * 1e-4, scale * 0.02];
    return linear(first, last, steps);
  },
  'scaled-linear'(steps, { range: [first, last] = [0.00085, 0.012] }) {
    return linear(Math.sqrt(first), Math.sqrt(last), steps).map((root) => root * root);
  },
  cosine(steps, { maxBeta = 0.999 }) {
    const s = 0.008;
    const alphaBar = (u: number) => {
      const c = cos((((u + s) / (1 + s)) * Math.PI) / 2);
      return c * c;
    };
    return fromAlphaBarFunction(alphaBar, steps, maxBeta);
  },
  sigmoid(steps, { maxBeta = 0.999 }) {
    const [start, end, tau] = [-3, 3, 1];
    const at = (u: number) => sigmoid((u * (end - start) + start) / tau);
    const alphaBar = (u: number) => (at(1) - at(u)) / (at(1) - at(0));
    return fromAlphaBarFunction(alphaBar, steps, maxBeta);
  },
  'sigmoid-beta'(steps, { range: [first, last] = [1e-4, 0.02] }) {
    return linear(-6, 6, steps).map((u) => sigmoid(u) * (last - first) + first);
  },
};

const sigmoid = (x: number) => 1 / (1 + exp(-x));

/** Equally spaced numbers. Both ends are exact. */
function linear(first: number, last: number, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) =>
    i === n - 1 ? last : first + ((last - first) * i) / (n - 1),
  );
}

/** beta_t = min(1 - alphaBar((t+1)/T)/alphaBar(t/T), maxBeta) */
function fromAlphaBarFunction(alphaBar: (u: number) => number, steps: number, maxBeta: number): Float64Array {
  return Float64Array.from({ length: steps }, (_, t) =>
    Math.min(1 - alphaBar((t + 1) / steps) / alphaBar(t / steps), maxBeta),
  );
}

/**
 * Shifts and scales √alphaBar so that the last alphaBar is exactly 0 and the first does not change. A model with this
 * schedule must not predict eps: at the last step eps has no information on the data.
 * @throws ValueError for fewer than two numbers
 */
export function rescaleZeroTerminalSnr(alphaBars: ArrayLike<number>): Float64Array {
  checkSteps('rescaleZeroTerminalSnr', alphaBars.length);
  const roots = Float64Array.from(alphaBars, Math.sqrt);
  const [first, last] = [roots[0], roots[roots.length - 1]];
  return roots.map((root) => {
    const moved = (root - last) * (first / (first - last));
    return moved * moved;
  });
}

/**
 * Karras' sigmas, from `sigmaMax` down to `sigmaMin`. Their rho-th roots are equally spaced.
 * @throws ValueError unless 0 < sigmaMin < sigmaMax, rho > 0 and n >= 2
 */
export function karrasSigmas(n: number, sigmaMin: number, sigmaMax: number, rho = 7): Float64Array {
  checkSteps('karrasSigmas', n);
  if (!(sigmaMin > 0 && sigmaMin < sigmaMax && sigmaMax < Infinity && rho > 0 && rho < Infinity)) {
    throw new ValueError(
      `karrasSigmas: expected 0 < sigmaMin < sigmaMax and rho > 0, got ${sigmaMin}, ${sigmaMax} and ${rho}`,
    );
  }
  const roots = linear(pow(sigmaMax, 1 / rho), pow(sigmaMin, 1 / rho), n);
  return roots.map((root, i) => (i === 0 ? sigmaMax : i === n - 1 ? sigmaMin : pow(root, rho)));
}
