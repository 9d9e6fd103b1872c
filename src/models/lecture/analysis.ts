/**
 * Closed forms for the lecture's loss (lecture.ts): what a network can and cannot learn from it.
 *
 * At time t the input of the network is denoised = data + n with n ~ N(0, V_t). V_t is the sum of s[t+1] - s[t] over
 * all steps, plus the step subtracted at t. For T = 5 it is 1 + 1/4 = 1.25 at *every* t. (With `carry` it grows by 1/4
 * per time: 1.25, 1.5, 1.75 and 2. Then t = 0, the last time of the loop, has the most noise.) The target is -n/step.
 * So
 *
 *   the loss of a network that predicts 0:  Σ_t V_t/step_t²                       = 80 for T = 5
 *   the loss of the optimal network:        Σ_t E|data - E[data|denoised]|²/D/step_t²
 *
 * The optimal prediction is (E[data|denoised] - denoised)/step. It leads in one step to E[data|denoised], the mean of
 * all data that are consistent with the input. The distribution of the input does not depend on t. So t has no
 * information, and the network cannot distinguish the times.
 *
 * The mean square error of the optimal network depends on the data. This file has two cases. For Gaussian data it
 * follows from the covariance; it is also the error of the best *linear* network for any data with this covariance. The
 * other case is a finite set of points.
 */
import { scope } from '../../autograd/tape.ts';
import { combine } from '../../diffusion/combine.ts';
import { ShapeError, ValueError } from '../../errors.ts';
import { withDefaults } from '../../options.ts';
import type { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { type LectureLossOptions, lossDefaults } from './lecture.ts';

/** The noise in the network's input at one time of the lecture's loop. */
export interface LectureNoise {
  /** The index of the time in the schedule s. */
  readonly t: number;
  /** s[t] */
  readonly time: number;
  /** s[t+1] - s[t] */
  readonly step: number;
  /** The variance of the noise in the network's input. */
  readonly variance: number;
}

/** The network's input at each time, in the order of the loop: t = T-2, ..., 0. */
export function lectureNoise(options: LectureLossOptions = {}): LectureNoise[] {
  const { schedule, carry } = withDefaults('lecture', options, lossDefaults());
  const total = schedule[schedule.length - 1] - schedule[0];
  const seen: LectureNoise[] = [];
  let before = total;
  for (let t = schedule.length - 2; t >= 0; t--) {
    const step = schedule[t + 1] - schedule[t];
    seen.push({ t, time: schedule[t], step, variance: before + step });
    if (carry) before += step;
  }
  return seen;
}

/** The expected loss of a network that always predicts 0. */
export function lectureZeroLoss(reading: LectureLossOptions = {}): number {
  return sumOverTimes(reading, ({ variance }) => variance);
}

/**
 * The optimal expected loss on Gaussian data. It is also that of the best linear network on any data:
 * Σ_t mean_j V·c_j/(V + c_j)/step².
 * @param variances c_j, the eigenvalues of the data's covariance (its diagonal, for independent coordinates)
 */
export function lectureGaussianBest(variances: ArrayLike<number>, reading: LectureLossOptions = {}): number {
  return sumOverTimes(reading, ({ variance: V }) => {
    let sum = 0;
    for (let j = 0; j < variances.length; j++) sum += (V * variances[j]) / (V + variances[j]);
    return sum / variances.length;
  });
}

/**
 * The same for a covariance matrix, [D·D] row by row, by Cholesky's decomposition:
 * Σ_j V·c_j/(V + c_j) = V·D - V²·trace((C + V)^-1).
 * @throws ShapeError for a matrix that is not square
 * @throws ValueError for a matrix that is not a covariance
 */
export function lectureLinearBest(covariance: Float64Array, reading: LectureLossOptions = {}): number {
  const D = Math.sqrt(covariance.length);
  if (!Number.isInteger(D)) {
    throw new ShapeError(`lecture: expected a square matrix, got ${covariance.length} numbers`);
  }
  const known = new Map<number, number>();
  return sumOverTimes(reading, ({ variance: V }) => {
    if (!known.has(V)) known.set(V, V - (V * V * inverseTrace(covariance, D, V)) / D);
    return known.get(V)!;
  });
}

/**
 * The optimal expected loss if the data are exactly these points with equal weights, on noised members of `batch`. Then
 * E[data|denoised] is a softmax mean of the points. If the points are the training set, the network has memorised it.
 *
 * @param points [N, D]
 * @param batch [B, D], drawn from the points or from data like them
 */
export function lecturePointsBest(
  points: Tensor,
  batch: Tensor,
  rng: Rng,
  reading: LectureLossOptions = {},
): number {
  return sumOverTimes(reading, ({ variance: V }) =>
    scope(() => {
      const denoised = rng.normalInto(batch.empty(batch.shape));
      combine(denoised, [Math.sqrt(V), denoised], [1, batch]);
      // -|x - p|²/(2V), without the terms that do not depend on p
      const half = points.mul(points).sum(1).mul(0.5);
      const logits = denoised
        .matmul(points, { bT: true })
        .sub(half)
        .mul(1 / V);
      const shares = logits.sub(logits.max(1, { keepDims: true })).exp();
      const mean = shares.matmul(points).div(shares.sum(1, { keepDims: true }));
      const error = mean.sub(batch);
      return error.mul(error).mean().item();
    }),
  );
}

/** Σ_t f(t)/step_t² */
function sumOverTimes(reading: LectureLossOptions, f: (seen: LectureNoise) => number): number {
  return lectureNoise(reading).reduce((sum, seen) => sum + f(seen) / (seen.step * seen.step), 0);
}

/** trace((C + V)^-1) = |L^-1|² for C + V = L·Lᵀ. */
function inverseTrace(covariance: Float64Array, D: number, V: number): number {
  const L = cholesky(covariance, D, V);
  let trace = 0;
  // Column j of L^-1 by forward substitution.
  const column = new Float64Array(D);
  for (let j = 0; j < D; j++) {
    for (let i = j; i < D; i++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= L[i * D + k] * column[k];
      column[i] = sum / L[i * D + i];
      trace += column[i] * column[i];
    }
  }
  return trace;
}

/** L of C + V = L·Lᵀ, row by row. */
function cholesky(covariance: Float64Array, D: number, V: number): Float64Array {
  const L = new Float64Array(D * D);
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = covariance[i * D + j] + (i === j ? V : 0);
      for (let k = 0; k < j; k++) sum -= L[i * D + k] * L[j * D + k];
      if (i !== j) L[i * D + j] = sum / L[j * D + j];
      else if (sum > 0) L[i * D + i] = Math.sqrt(sum);
      else throw new ValueError('lecture: expected a covariance, got a matrix with a negative eigenvalue');
    }
  }
  return L;
}

/** The covariance of data [N, D], [D·D] row by row. */
export function covarianceOf(data: Tensor): Float64Array {
  return scope(() => {
    const centred = data.sub(data.mean(0));
    return Float64Array.from(
      centred
        .matmul(centred, { aT: true })
        .mul(1 / data.shape[0])
        .toTypedArray(),
    );
  });
}
