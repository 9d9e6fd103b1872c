/**
 * The kinds of prediction for x = alpha·x0 + sigma·eps. Each kind is a row (p, q) of the 2x2 system
 *
 *   [x         ]   [alpha sigma] [x0 ]
 *   [prediction] = [p     q    ] [eps].
 *
 * The solution of this system converts one kind to another. The rows are eps: (0, 1); x0: (1, 0);
 * v = alpha·eps - sigma·x0; score = -eps/sigma, the gradient of the log density; flow = eps - x0, the velocity of
 * rectified flow; edm: the target of EDM's network, whose variance is 1 at all levels (preconditioning.ts).
 *
 * Sources: eps: Ho et al. (2020); v: Salimans and Ho, "Progressive distillation" (2022); score: Song et al. (2021); edm:
 * Karras et al. (2022).
 */
import { ValueError } from '../errors.ts';
import { oneOf } from '../options.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NoiseLevel } from './level.ts';
import { targetRow } from './preconditioning.ts';

/** The names of the predictions. */
export const PREDICTIONS = ['eps', 'x0', 'v', 'score', 'flow', 'edm'] as const;
/**
 * What a model predicts: the noise `eps`, the data `x0`, the velocity `v`, the score ∇ln p, the `flow` eps - x0, or the
 * target `edm` of EDM's network.
 */
export type Prediction = (typeof PREDICTIONS)[number];

/** The model of a sampler: a function of a batch [batch, ...] and its time, with a result of the same shape. */
export interface Predictor {
  /** What `predict` returns. */
  readonly predicts: Prediction;
  /** The prediction for x at time t. The sampler calls it inside a scope. */
  predict(x: Tensor, t: number): Tensor;
  /**
   * For a model with learnt variance: the prediction, and the share of ln(beta) in the log variance, both of x's shape.
   * The share goes from 0 (variance betaTilde) to 1 (variance beta).
   */
  predictWithVariance?(x: Tensor, t: number): { prediction: Tensor; share: Tensor };
}

/** Makes a predictor from a function. @throws ValueError for an unknown prediction */
export function predictor(predicts: Prediction, predict: (x: Tensor, t: number) => Tensor): Predictor {
  return { predicts: checkPrediction(predicts), predict };
}

/** (p, q): the two coefficients of a linear combination of two tensors. */
export type Coefficients = readonly [p: number, q: number];

/** The name in lower case. @throws ValueError for an unknown name */
export function checkPrediction(name: Prediction): Prediction {
  return oneOf('prediction', PREDICTIONS, name);
}

/** (p, q): the prediction is p·x0 + q·eps. @throws ValueError for an unknown prediction */
export function predictionRow(kind: Prediction, level: NoiseLevel): Coefficients {
  const { alpha, sigma } = level;
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
    case 'edm':
      return targetRow(level);
  }
}

/**
 * (a, b): the kind `to` is a·x + b·prediction.
 * @throws ValueError if the prediction does not determine it: eps if alpha is 0, x0 if sigma is 0
 */
export function conversion(from: Prediction, to: Prediction, level: NoiseLevel): Coefficients {
  const { alpha, sigma, t } = level;
  if (from === to) return [0, 1];
  const [p, q] = predictionRow(from, level);
  const determinant = alpha * q - sigma * p;
  const [wantedX0, wantedEps] = predictionRow(to, level);
  if (determinant === 0 || !Number.isFinite(determinant) || !Number.isFinite(wantedEps)) {
    const cure = alpha === 0 ? ': at SNR 0 a model must predict v, x0 or flow' : '';
    throw new ValueError(
      `prediction: expected one that determines ${to}, got ${from} at t = ${t}, where alpha is ${alpha} and sigma ${sigma}${cure}`,
    );
  }
  // x0 = (q·x - sigma·prediction)/det, eps = (alpha·prediction - p·x)/det
  return [(wantedX0 * q - wantedEps * p) / determinant, (wantedEps * alpha - wantedX0 * sigma) / determinant];
}
