/**
 * Logistic regression for two classes with an L2 penalty (a ridge), by Newton's method in float64:
 *
 *     p(y = 1 | x) = σ(b + w·x),   loss = -Σ ln p(y_i | x_i) + λ/2·|w|²
 *
 * The loss is convex, and for λ > 0 its minimum is unique. Each step is halved until the loss decreases. The intercept
 * b has no penalty. All sums have a fixed order, so the bits are the same on every machine.
 *
 * Source: Hastie, Tibshirani and Friedman, "The elements of statistical learning", 4.4.1.
 */
import { ShapeError } from '../../errors.ts';
import { solveLinear } from '../../linear-algebra.ts';
import { exp, log1p } from '../../math.ts';

/** The data: n rows of `columns` numbers, stored row by row. Each row has the label 0 or 1. */
export interface LabelledRows {
  readonly values: Float64Array;
  readonly columns: number;
  readonly labels: Uint8Array;
}

/** A fitted model: b and w. */
export interface LogisticModel {
  readonly intercept: number;
  readonly weights: Float64Array;
}

/** The most Newton steps. */
const MOST_STEPS = 100;
/** The iteration stops if a step decreases the loss by at most this fraction. */
const SMALL = 1e-10;

/** 1/(1 + e^-x), without overflow. */
export const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)));
/** ln(1 + e^x), without overflow. */
export const softplus = (x: number) => Math.max(x, 0) + log1p(exp(-Math.abs(x)));

/** b + w·x of each row. */
export function logits({ intercept, weights }: LogisticModel, values: Float64Array): Float64Array {
  const columns = weights.length;
  return Float64Array.from({ length: values.length / columns }, (_, i) => {
    let sum = intercept;
    for (let j = 0; j < columns; j++) sum += weights[j] * values[i * columns + j];
    return sum;
  });
}

/** The mean of -ln p(y_i | x_i). */
export function meanLoss(model: LogisticModel, { values, labels }: LabelledRows): number {
  return logits(model, values).reduce((sum, z, i) => sum + softplus(labels[i] ? -z : z), 0) / labels.length;
}

/** The fraction of the rows whose label is the class with the higher probability. */
export function logisticAccuracy(model: LogisticModel, { values, labels }: LabelledRows): number {
  const right = logits(model, values).filter((z, i) => z > 0 === (labels[i] === 1));
  return right.length / labels.length;
}

/**
 * Finds the model with the lowest loss.
 * @param ridge λ > 0
 * @throws ShapeError unless there is one label per row
 */
export function fitLogistic(rows: LabelledRows, ridge: number): LogisticModel {
  const { values, columns, labels } = rows;
  if (values.length !== columns * labels.length) {
    throw new ShapeError(
      `logistic regression: expected ${labels.length} rows of ${columns}, got ${values.length} numbers`,
    );
  }
  const penalised = (model: LogisticModel) =>
    labels.length * meanLoss(model, rows) + (ridge / 2) * model.weights.reduce((sum, w) => sum + w * w, 0);
  let model: LogisticModel = { intercept: 0, weights: new Float64Array(columns) };
  let loss = penalised(model);
  for (let step = 0; step < MOST_STEPS; step++) {
    const direction = newtonStep(model, rows, ridge);
    let next = moved(model, direction, 1);
    let reached = penalised(next);
    for (let share = 0.5; reached > loss && share > 1e-9; share /= 2) {
      next = moved(model, direction, share);
      reached = penalised(next);
    }
    if (!(reached < loss)) break;
    const gain = loss - reached;
    [model, loss] = [next, reached];
    if (gain <= SMALL * loss) break;
  }
  return model;
}

const moved = ({ intercept, weights }: LogisticModel, step: readonly number[], share: number) => ({
  intercept: intercept - share * step[0],
  weights: weights.map((w, j) => w - share * step[j + 1]),
});

/** The Newton step H⁻¹·g. Its first entry is for the intercept. */
function newtonStep(
  model: LogisticModel,
  { values, columns, labels }: LabelledRows,
  ridge: number,
): number[] {
  const D = columns + 1;
  const gradient = new Array<number>(D).fill(0);
  const hessian = new Float64Array(D * D);
  const row = new Float64Array(D);
  row[0] = 1;
  for (const [i, z] of logits(model, values).entries()) {
    row.set(values.subarray(i * columns, (i + 1) * columns), 1);
    const p = sigmoid(z);
    const curvature = p * (1 - p);
    for (let j = 0; j < D; j++) {
      gradient[j] += (p - labels[i]) * row[j];
      const a = curvature * row[j];
      for (let k = 0; k <= j; k++) hessian[j * D + k] += a * row[k];
    }
  }
  for (let j = 1; j < D; j++) {
    gradient[j] += ridge * model.weights[j - 1];
    hessian[j * (D + 1)] += ridge;
  }
  // If p is 0 or 1 in every row, the curvature of the intercept is 0. The small number keeps H invertible.
  hessian[0] += 1e-12;
  const full = Array.from({ length: D }, (_, j) =>
    Array.from({ length: D }, (_, k) => hessian[Math.max(j, k) * D + Math.min(j, k)]),
  );
  return solveLinear(full, gradient);
}
