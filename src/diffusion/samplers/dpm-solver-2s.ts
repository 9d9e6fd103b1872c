/**
 * DPM-Solver++(2S): second order with two evaluations, one at the start of a step and one inside of it.
 *
 *   x_m  = (sigma_m/sigma_from)·x + alpha_m(1 - e^(-r·h))·D0,   lambda_m = lambda_from + r·h
 *   x_to = (sigma_to/sigma_from)·x + alpha_to(1 - e^-h)·(D0 + (D_m - D0)/(2r))
 *
 * `inner: 'middle'` has r = 1/2: the second evaluation is at the middle of the step in lambda. N steps need 2N
 * evaluations. `inner: 'grid'` makes one step over two intervals of the grid. The second evaluation is at the level
 * between them, as in diffusers' singlestep scheduler. N intervals need N evaluations; an odd last interval is a step
 * of first order. The step to sigma 0 is of first order too. So is the step from pure noise, which is infinite in
 * lambda.
 *
 * Order 2. Source: Lu et al. (2022), algorithm 1.
 */
import { ValueError } from '../../errors.ts';
import { exp } from '../../math.ts';
import { withDefaults } from '../../options.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { combine } from '../combine.ts';
import { lambda, type NoiseLevel } from '../level.ts';
import { growth, lambdaStep } from './dpm-solver.ts';
import { SAMPLER_DEFAULTS, type Sampler, type SamplerOptions, type SamplingRun, sampler } from './sampler.ts';

/** Options of the sampler `dpm-solver-2s`. */
export interface DpmSolver2SOptions extends SamplerOptions {
  /** The time of the inner evaluation: in the `middle` of each step, or at the levels of the `grid`. Default `middle`. */
  readonly inner?: 'middle' | 'grid';
}

/** @throws ValueError for an unknown `inner` */
export function dpmSolver2S(options: DpmSolver2SOptions = {}): Sampler {
  const { inner } = withDefaults('dpm-solver-2s', options, { ...SAMPLER_DEFAULTS, inner: 'middle' });
  if (inner !== 'middle' && inner !== 'grid') {
    throw new ValueError(`dpm-solver-2s: expected an inner middle or grid, got "${String(inner)}"`);
  }
  return sampler({
    name: 'dpm-solver-2s',
    order: 2,
    stochastic: false,
    options,
    start: (run) => (inner === 'middle' ? middle(run) : overGrid(run)),
  });
}

/** out = (sigma_to/sigma_from)·x + alpha_to(1 - e^-h)·D */
function firstOrder(out: Tensor, from: NoiseLevel, to: NoiseLevel, x: Tensor, d: Tensor): void {
  combine(out, [to.sigma / from.sigma, x], [to.alpha * growth(lambdaStep(from, to)), d]);
}

/** Computes x_to from x and D0 at `from` and D_m at `between`. */
function secondOrder(
  out: Tensor,
  [from, between, to]: readonly [NoiseLevel, NoiseLevel, NoiseLevel],
  x: Tensor,
  d0: Tensor,
  dm: Tensor,
): void {
  const h = lambdaStep(from, to);
  const r = lambdaStep(from, between) / h;
  const g = to.alpha * growth(h);
  combine(out, [to.sigma / from.sigma, x], [g * (1 - 1 / (2 * r)), d0], [g / (2 * r), dm]);
}

function middle(run: SamplingRun): (i: number) => void {
  const [trial, dm] = [run.buffer(), run.buffer()];
  const { x, x0 } = run;
  return (i) => {
    const [from, to] = [run.levels[i], run.levels[i + 1]];
    run.denoise(from);
    if (to.sigma === 0 || from.alpha === 0) return firstOrder(x, from, to, x, x0);
    const between = run.schedule.levelOfRatio(exp(-0.5 * (lambda(from) + lambda(to))));
    firstOrder(trial, from, between, x, x0);
    run.denoise(between, trial, dm);
    secondOrder(x, [from, between, to], x, x0, dm);
  };
}

function overGrid(run: SamplingRun): (i: number) => void {
  const [start, dm] = [run.buffer(), run.buffer()];
  const { x, x0, levels } = run;
  return (i) => {
    const [from, to] = [levels[i], levels[i + 1]];
    // From pure noise there is no ratio of steps: that interval is a step of its own, and the pairs begin after it.
    const position = i - (levels[0].alpha === 0 ? 1 : 0);
    if (position % 2 !== 1 || to.sigma === 0) {
      start.copyFrom(x);
      run.denoise(from);
      return firstOrder(x, from, to, x, x0);
    }
    run.denoise(from, x, dm);
    secondOrder(x, [levels[i - 1], from, to], start, x0, dm);
  };
}
