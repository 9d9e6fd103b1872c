/**
 * UniPC: a multistep predictor of order p, and a corrector. The corrector uses the evaluation of the next step to raise
 * the order of the current step by one, without additional evaluations. D0, D1, ... are the data predicted at this
 * level and at earlier levels. r_k is the position of level k relative to this level, in units of h (r_p = 1 is the
 * next level). With hh = -h,
 *
 *   x_to = (sigma_to/sigma_from)·x - alpha_to·(e^hh - 1)·D0 - alpha_to·B(h)·Σ rho_k·(D_k - D0)/r_k
 *
 * where rho solves R·rho = b, R_jk = r_k^(j-1), b_j = j!·hh·phi_(j+1)(hh)/B, phi_1 = (e^hh - 1)/hh,
 * phi_(j+1) = (phi_j - 1/j!)/hh, and B is hh (`bh1`) or e^hh - 1 (`bh2`).
 *
 * The order is p with the predictor only, and p + 1 with the corrector (Zhao et al. 2023, theorem 3.1). The first p - 1
 * steps have lower orders, but there is a fixed number of them. The last steps have lower orders too, as in diffusers.
 *
 * Source: Zhao, Bai, Rao, Zhou and Lu, "UniPC: a unified predictor-corrector framework for fast sampling of
 * diffusion models" (2023), in the form for data prediction. diffusers' default is `bh2` of order 2.
 */
import { ValueError } from '../../errors.ts';
import { solveLinear } from '../../linear-algebra.ts';
import { expm1 } from '../../math.ts';
import { withDefaults } from '../../options.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { combine, type Term } from '../combine.ts';
import { lambdaStep } from './dpm-solver.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, type SamplingRun, sampler } from './sampler.ts';

/** Options of the sampler `unipc`. */
export interface UniPcOptions extends SamplerOptions {
  /** The order of the predictor, 1 to 3. Default 2. */
  readonly order?: 1 | 2 | 3;
  /** The function B(h) of the paper. Default `bh2`. */
  readonly variant?: 'bh1' | 'bh2';
  /** Whether to run the corrector. Default true. */
  readonly corrector?: boolean;
  /** Whether the last steps have lower orders. Default true. A last step to sigma 0 is always of first order. */
  readonly lowerOrderFinal?: boolean;
}

/** @throws ValueError for another order or variant */
export function uniPc(options: UniPcOptions = {}): Sampler {
  const filled = withDefaults('unipc', options, {
    ...SAMPLER_DEFAULTS,
    order: 2,
    variant: 'bh2',
    corrector: true,
    lowerOrderFinal: true,
  });
  const { order, variant, corrector } = filled;
  if (![1, 2, 3].includes(order)) throw new ValueError(`unipc: expected an order 1, 2 or 3, got ${order}`);
  if (variant !== 'bh1' && variant !== 'bh2') {
    throw new ValueError(`unipc: expected a variant bh1 or bh2, got "${String(variant)}"`);
  }
  return sampler({
    name: 'unipc',
    order: order + (corrector ? 1 : 0),
    stochastic: false,
    options,
    start: (run) => start(run, filled),
  });
}

function start(
  run: SamplingRun,
  options: Required<Pick<UniPcOptions, 'order' | 'variant' | 'corrector' | 'lowerOrderFinal'>>,
): (i: number) => void {
  const { levels, x } = run;
  const { order, variant, corrector, lowerOrderFinal } = options;
  const steps = levels.length - 1;
  /** The data predicted at levels i, i-1, ... */
  const history = [run.x0, ...Array.from({ length: order }, () => run.buffer())];
  const last = run.buffer();
  /** The order of step i: at most the number of evaluations so far, and of the steps that remain. */
  const orderOf = (i: number) => {
    const ahead = lowerOrderFinal ? steps - i : levels[i + 1].sigma === 0 ? 1 : order;
    const finite = levels[0].alpha === 0 ? Math.max(i, 1) : i + 1;
    return Math.min(order, finite, ahead);
  };
  return (i) => {
    // The newest prediction overwrites the oldest.
    history.unshift(history.pop()!);
    run.x0 = history[0];
    run.denoise(levels[i]);
    // From pure noise the first step is infinite in lambda: it is DDIM's step.
    if (corrector && i > 0 && levels[i - 1].alpha > 0) {
      const { stay, data } = coefficients(run, i - 1, orderOf(i - 1), variant, true);
      combine(last, [stay, last], ...termsOf(data, history));
      x.copyFrom(last);
    } else {
      last.copyFrom(x);
    }
    const { stay, data } = coefficients(run, i, orderOf(i), variant, false);
    combine(x, [stay, x], ...termsOf(data, history.slice(0, order)));
  };
}

const termsOf = (data: readonly number[], history: readonly Tensor[]): Term[] =>
  data.map((coefficient, k) => [coefficient, history[k]] as const);

/**
 * The coefficients of x and of the predicted data in the step from level i to i+1. The predictor has data at levels i,
 * i-1, ...; the corrector has data at i+1, i, i-1, ...
 */
function coefficients(
  { levels }: SamplingRun,
  i: number,
  order: number,
  variant: 'bh1' | 'bh2',
  corrected: boolean,
): { stay: number; data: number[] } {
  const [from, to] = [levels[i], levels[i + 1]];
  const h = lambdaStep(from, to);
  const hh = -h;
  const e = expm1(hh);
  const places = Array.from({ length: order - 1 }, (_, k) => -lambdaStep(levels[i - 1 - k], from) / h);
  const rows = corrected ? order : order - 1;
  const B = variant === 'bh1' ? hh : e;
  // With one unknown the paper's code uses 1/2, which is the solution up to the required order.
  const rho =
    rows === 1
      ? [0.5]
      : solveLinear(vandermonde(corrected ? [...places, 1] : places), rightSides(hh, e, B, rows));
  const behind = places.map((r, k) => (-to.alpha * B * rho[k]) / r);
  const ahead = corrected ? [-to.alpha * B * rho[rows - 1]] : [];
  const own = -to.alpha * e - [...behind, ...ahead].reduce((sum, c) => sum + c, 0);
  return { stay: to.sigma / from.sigma, data: [...ahead, own, ...behind] };
}

/** R_jk = r_k^(j-1) */
function vandermonde(places: readonly number[]): number[][] {
  const rows: number[][] = [];
  let row = places.map(() => 1);
  for (let j = 0; j < places.length; j++) {
    rows.push(row);
    row = row.map((power, k) => power * places[k]);
  }
  return rows;
}

/** b_j = j!·phi_(j+1)(hh)·hh/B, j = 1 .. n */
function rightSides(hh: number, e: number, B: number, n: number): number[] {
  const b: number[] = [];
  let phi = e / hh - 1;
  let factorial = 1;
  for (let j = 1; j <= n; j++) {
    b.push((phi * factorial) / B);
    factorial *= j + 1;
    phi = phi / hh - 1 / factorial;
  }
  return b;
}
