/**
 * Langevin steps at one noise level. They move x towards the distribution of the level, and do not change the level:
 *
 *   x += delta·score(x) + √(2·delta)·z,   score = (alpha·x0 - x)/sigma²
 *
 * The stationary distribution is exact only in the limit delta to 0. For a Gaussian of variance V the stationary
 * variance is V/(1 - delta/(2V)). There is no accept/reject step.
 *
 * The step size delta is given, or follows from a signal-to-noise ratio r: delta = scale·(r·|z|/|score|)², with norms
 * averaged over the batch (Song et al. 2021, algorithms 4 and 5).
 */
import type { Tensor } from '../../tensor/tensor.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import type { SamplingRun } from './sampler.ts';

/** The delta of a step, as a function of its score and its noise. */
export type StepSize = (score: Tensor, noise: Tensor) => number;

/** One step at `level`, in place. Its sigma must be > 0. */
export function langevinStep(run: SamplingRun, level: NoiseLevel, stepSize: StepSize): void {
  const { x } = run;
  const { alpha, sigma } = level;
  run.denoise(level);
  const inverse = 1 / (sigma * sigma);
  const score = combine(x.empty(x.shape), [alpha * inverse, run.x0], [-inverse, x]);
  const noise = run.noise();
  const delta = stepSize(score, noise);
  combine(x, [1, x], [delta, score], [Math.sqrt(2 * delta), noise]);
}

/** delta = scale·(r·|noise|/|score|)² */
export function byNorms(r: number, scale: number): StepSize {
  return (score, noise) => {
    const root = (r * meanNorm(noise)) / meanNorm(score);
    return scale * root * root;
  };
}

/** The mean over the batch of the samples' Euclidean norms. */
function meanNorm(x: Tensor): number {
  const batch = x.shape[0] ?? 1;
  const squares = x.empty([batch]);
  const out = { ptr: squares.ptr, accumulate: false };
  x.backend.kernels.reduce('sumSquares', {
    outer: batch,
    n: x.size / batch,
    inner: 1,
    x: x.ptr,
    alpha: 1,
    out,
  });
  let sum = 0;
  for (const square of squares.toTypedArray()) sum += Math.sqrt(square);
  return sum / batch;
}
