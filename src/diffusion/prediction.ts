/**
 * What a model predicts of x = alpha·x0 + sigma·eps. Every kind is a row (p, q) of the 2x2 system
 *
 *   [x         ]   [alpha sigma] [x0 ]
 *   [prediction] = [p     q    ] [eps]
 *
 * so that one kind becomes another by solving it. eps: (0, 1); x0: (1, 0); v = alpha·eps - sigma·x0;
 * score = -eps/sigma, the gradient of the log density; flow = eps - x0, the velocity of rectified flow.
 *
 * Sources: eps: Ho et al. (2020); v: Salimans and Ho, "Progressive distillation" (2022); score: Song et al. (2021).
 */
import { ValueError } from '../errors.ts';
import { oneOf } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NoiseLevel } from './level.ts';

export const PREDICTIONS = ['eps', 'x0', 'v', 'score', 'flow'] as const;
export type Prediction = (typeof PREDICTIONS)[number];

/** What a sampler asks: any function of a batch and its time, [batch, ...] to the same shape. */
export interface Predictor {
  readonly predicts: Prediction;
  /** The prediction for x at time t; called inside a scope. */
  predict(x: Tensor, t: number): Tensor;
  /**
   * For a model with learnt variance: the prediction, and of x's shape the share of ln(beta) in the log variance,
   * 0 (betaTilde) to 1 (beta).
   */
  predictWithVariance?(x: Tensor, t: number): { prediction: Tensor; share: Tensor };
}

/** A predictor of a function. @throws ValueError for an unknown prediction */
export function predictor(predicts: Prediction, predict: (x: Tensor, t: number) => Tensor): Predictor {
  return { predicts: checkPrediction(predicts), predict };
}

/** Coefficients of a linear form in two quantities. */
export type Pair = readonly [number, number];

/** The name, whatever its case. @throws ValueError for an unknown one */
export function checkPrediction(name: Prediction): Prediction {
  return oneOf('prediction', PREDICTIONS, name);
}

/** (p, q): the prediction is p·x0 + q·eps. */
export function predictionRow(kind: Prediction, { alpha, sigma }: NoiseLevel): Pair {
  switch (checkPrediction(kind)) {
    case 'eps':
      return [0, 1];
    case 'x0':
      return [1, 0];
    case 'v':
      return [-sigma, alpha];
    case 'score':
      return [0, -1 / sigma];
    case 'flow':
      return [-1, 1];
  }
}

/**
 * (a, b): the wanted kind is a·x + b·prediction.
 * @throws ValueError where the prediction does not determine it: eps where alpha is 0, x0 where sigma is 0
 */
export function conversion(from: Prediction, to: Prediction, level: NoiseLevel): Pair {
  const { alpha, sigma, t } = level;
  if (from === to) return [0, 1];
  const [p, q] = predictionRow(from, level);
  const determinant = alpha * q - sigma * p;
  const [wantedX0, wantedEps] = predictionRow(to, level);
  if (determinant === 0 || !Number.isFinite(determinant) || !Number.isFinite(wantedEps)) {
    const cure = alpha === 0 ? ': at zero SNR a model must predict v, x0 or flow' : '';
    throw new ValueError(
      `prediction: ${to} cannot be had from ${from} at t = ${t}, where alpha is ${alpha} and sigma ${sigma}${cure}`,
    );
  }
  // x0 = (q·x - sigma·prediction)/det, eps = (alpha·prediction - p·x)/det
  return [(wantedX0 * q - wantedEps * p) / determinant, (wantedEps * alpha - wantedX0 * sigma) / determinant];
}
