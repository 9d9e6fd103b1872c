/**
 * Langevin steps at one noise level, which move x towards the level's own distribution without changing the level:
 *
 *   x += delta·score(x) + √(2·delta)·z,   score = (alpha·x0 - x)/sigma²
 *
 * Its stationary distribution is right only as delta goes to 0: for a Gaussian of variance V it is
 * V/(1 - delta/(2V)). There is no accept/reject step.
 *
 * The step size follows from a signal-to-noise ratio r (Song et al. 2021, algorithms 4 and 5),
 * delta = scale·(r·|z|/|score|)², with norms averaged over the batch, or is given.
 */
import type { Tensor } from '../../tensor/tensor.ts';
import { combine } from '../combine.ts';
import type { NoiseLevel } from '../level.ts';
import type { SamplingRun } from './sampler.ts';

/** delta of a step, from its score and its noise. */
export type StepSize = (score: Tensor, noise: Tensor) => number;

/** One step in place at `level`, whose sigma is > 0. */
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
