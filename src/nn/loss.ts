/**
 * Losses with PyTorch's names. loss-modules.ts has them as modules. `reduction` says how the losses of the rows or
 * elements are combined: their mean (the default), their sum, or none, which returns them separately.
 *
 *     crossEntropy     -ln softmax(logits)[label]; with probabilities q, -Σ q·ln softmax(logits)
 *     bceWithLogits    -t·ln σ(x) - (1 - t)·ln(1 - σ(x)), as softplus(x) - x·t, which loses no digits
 *     l1Loss           |a - b|
 *     huberLoss        d²/2 where |d| <= δ, and δ·(|d| - δ/2) beyond: Huber (1964)
 *
 * `mse` is in tensor/functions.ts. Classes are the last axis, as channels are.
 */
import { noGrad } from '../autograd/tape.ts';
import { sizeOf } from '../autograd/variable.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { describe, withDefaults } from '../options.ts';
import { tensor } from '../tensor/create.ts';
import type { Indices } from '../tensor/indexing.ts';
import { type LossOptions, reduced, reductionOf } from '../tensor/reduction.ts';
import { requireTensor, Tensor } from '../tensor/tensor.ts';

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** A factor for each class. The mean is then weighted too. */
  readonly weight?: ArrayLike<number> | null;
  /** The share of the probability that is spread evenly over all classes; 0 by default. Szegedy et al. (2016). */
  readonly labelSmoothing?: number;
}

/** Options of `bceWithLogits`. */
export interface BceWithLogitsOptions extends LossOptions {
  /** A factor of the loss for targets of 1; 1 by default. */
  readonly posWeight?: number;
}

/** Options of `huberLoss`. */
export interface HuberLossOptions extends LossOptions {
  /** The distance at which the square becomes a line; 1 by default. */
  readonly delta?: number;
}

/** The sum of a row's probabilities may differ from 1 by this much. */
const TOLERANCE = 1e-4;

function sameShape(name: string, a: Tensor, b: Tensor): void {
  requireTensor(name, a);
  requireTensor(name, b);
  if (a.shape.join() !== b.shape.join()) {
    throw new ShapeError(`${name}: expected equal shapes, got [${a.shape}] and [${b.shape}]`);
  }
}

/**
 * ln softmax(logits)[label] of each row of [..., classes], in the shape [...]. @throws ValueError for a label that is
 * not a class
 */
export function logProbabilities(logits: Tensor, labels: Indices): Tensor {
  checkLabels('logProbabilities', logits, labels);
  return ofLabels(logits.logSoftmax(), labels);
}

/** The element at the label of each row of [..., classes], in the shape [...]. */
function ofLabels(rows: Tensor, labels: Indices): Tensor {
  // Without rows, `gather` cannot know the number of elements of each row.
  return labels.length === 0 ? rows.sum(-1) : rows.gather(-1, labels).squeeze(-1);
}

/** Throws unless there is one label for each row, and each label is a class. */
function checkLabels(name: string, logits: Tensor, labels: Indices): void {
  if (logits.rank === 0) throw new ShapeError(`${name}: expected logits [..., classes], got a scalar`);
  if (typeof labels !== 'object' || labels === null || typeof labels.length !== 'number') {
    throw new ValueError(`${name}: expected labels or a tensor of probabilities, got ${describe(labels)}`);
  }
  const classes = logits.shape[logits.rank - 1];
  const rows = sizeOf(logits.shape.slice(0, -1));
  if (labels.length !== rows) {
    throw new ShapeError(
      `${name}: expected ${rows} labels for logits [${logits.shape}], got ${labels.length}`,
    );
  }
  const wrong = Array.from(labels).findIndex(
    (label) => !(Number.isInteger(label) && label >= 0 && label < classes),
  );
  if (wrong >= 0) {
    throw new ValueError(
      `${name}: expected labels from 0 to ${classes - 1}, got ${labels[wrong]} at ${wrong}`,
    );
  }
}

/** Throws unless each row of `target` is a distribution over the classes. */
function checkProbabilities(logits: Tensor, target: Tensor): void {
  if (target.rank === logits.rank - 1) {
    throw new ValueError(
      'crossEntropy: expected labels as an Int32Array or an array, such as target.toTypedArray(), or probabilities [..., classes], got a tensor of labels',
    );
  }
  sameShape('crossEntropy', logits, target);
  const sums = target.detach().sum(-1).toTypedArray();
  const wrong = sums.findIndex((sum) => !(Math.abs(sum - 1) <= TOLERANCE));
  if (wrong >= 0) {
    throw new ValueError(
      `crossEntropy: expected probabilities that sum to 1, got a sum of ${sums[wrong].toPrecision(4)} in row ${wrong}`,
    );
  }
  if (target.size > 0 && target.detach().min().item() < 0) {
    throw new ValueError('crossEntropy: expected probabilities of 0 or more, got a negative one');
  }
}

/** The options with their defaults. @throws ValueError for options out of range */
export function crossEntropyOptions(options: CrossEntropyOptions) {
  const given = withDefaults('crossEntropy', options, { reduction: 'mean', weight: null, labelSmoothing: 0 });
  const { labelSmoothing } = given;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(
      `crossEntropy: expected a label smoothing from 0 to 1, got ${describe(labelSmoothing)}`,
    );
  }
  return { ...given, reduction: reductionOf('crossEntropy', given.reduction) };
}

/** Factors of the classes as a tensor, or null. */
function classWeights(weight: ArrayLike<number> | null, classes: number): Tensor | null {
  if (!weight) return null;
  const values = Array.from(weight);
  if (values.length !== classes || !values.every((value) => value >= 0)) {
    throw new ValueError(
      `crossEntropy: expected a weight of 0 or more for each of ${classes} classes, got [${values}]`,
    );
  }
  return tensor(values);
}

/**
 * The cross-entropy between the softmax of logits and a target.
 *
 * @param logits [..., classes]
 * @param target a label for each row, or probabilities of the logits' shape
 * @returns the mean over rows; with `weight` and labels it is weighted by the weights of the labels
 * @throws ValueError for a label that is not a class or probabilities that do not sum to 1, ShapeError
 */
export function crossEntropy(
  logits: Tensor,
  target: Indices | Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const { reduction, weight: weights, labelSmoothing: smoothing } = crossEntropyOptions(options);
  requireTensor('crossEntropy', logits);
  const classes = logits.shape[logits.rank - 1];
  const weight = classWeights(weights, classes);
  if (target instanceof Tensor) {
    checkProbabilities(logits, target);
    const smooth = smoothing > 0 ? target.mul(1 - smoothing).add(smoothing / classes) : target;
    const terms = logits.logSoftmax().mul(smooth);
    return reduced((weight ? terms.mul(weight) : terms).sum(-1).neg(), reduction);
  }
  checkLabels('crossEntropy', logits, target);
  const logs = logits.logSoftmax();
  const weighted = weight ? logs.mul(weight) : logs;
  let gains = ofLabels(weighted, target);
  if (smoothing > 0) gains = gains.mul(1 - smoothing).add(weighted.sum(-1).mul(smoothing / classes));
  if (!weight || reduction !== 'mean') return reduced(gains, reduction).neg();
  return gains.sum().div(weight.indexSelect(0, target).sum()).neg();
}

/** The options with their defaults. @throws ValueError for options out of range */
export function bceOptions(options: BceWithLogitsOptions) {
  const given = withDefaults('bceWithLogits', options, { reduction: 'mean', posWeight: 1 });
  const { posWeight } = given;
  if (!(posWeight >= 0)) {
    throw new ValueError(`bceWithLogits: expected posWeight >= 0, got ${describe(posWeight)}`);
  }
  return { posWeight, reduction: reductionOf('bceWithLogits', given.reduction) };
}

/** Throws ValueError unless all are from 0 to 1. */
function checkTargets(targets: Tensor): void {
  if (targets.size === 0) return;
  const [least, most] = noGrad(() => [targets.min().item(), targets.max().item()]);
  if (!(least >= 0 && most <= 1)) {
    throw new ValueError(`bceWithLogits: expected targets from 0 to 1, got ${least < 0 ? least : most}`);
  }
}

/**
 * The binary cross-entropy of σ(logits) and targets.
 * @param targets numbers from 0 to 1, of the logits' shape
 * @throws ShapeError for another shape
 */
export function bceWithLogits(logits: Tensor, targets: Tensor, options: BceWithLogitsOptions = {}): Tensor {
  const { posWeight, reduction } = bceOptions(options);
  sameShape('bceWithLogits', logits, targets);
  checkTargets(targets);
  if (posWeight === 1) return reduced(logits.softplus().sub(logits.mul(targets)), reduction);
  // -ln σ(x) = softplus(-x), and -ln(1 - σ(x)) = x + softplus(-x)
  const factor = targets.mul(posWeight - 1).add(1);
  const losses = logits.sub(logits.mul(targets)).add(factor.mul(logits.neg().softplus()));
  return reduced(losses, reduction);
}

export const l1Options = (options: LossOptions) =>
  reductionOf('l1Loss', withDefaults('l1Loss', options, { reduction: 'mean' }).reduction);

/** |a - b|. @throws ShapeError for shapes that differ */
export function l1Loss(a: Tensor, b: Tensor, options: LossOptions = {}): Tensor {
  const reduction = l1Options(options);
  sameShape('l1Loss', a, b);
  return reduced(a.sub(b).abs(), reduction);
}

/** The options with their defaults. @throws ValueError for options out of range */
export function huberOptions(options: HuberLossOptions) {
  const { reduction, delta } = withDefaults('huberLoss', options, { reduction: 'mean', delta: 1 });
  if (!(delta > 0)) throw new ValueError(`huberLoss: expected delta > 0, got ${describe(delta)}`);
  return { delta, reduction: reductionOf('huberLoss', reduction) };
}

/** d²/2 for d = |a - b| <= delta, and delta·(d - delta/2) beyond. @throws ShapeError for shapes that differ */
export function huberLoss(a: Tensor, b: Tensor, options: HuberLossOptions = {}): Tensor {
  const { reduction, delta } = huberOptions(options);
  sameShape('huberLoss', a, b);
  const distance = a.sub(b).abs();
  const inside = distance.clamp(0, delta);
  // c·(d - c/2) with c = min(d, δ) covers both cases.
  return reduced(inside.mul(distance.sub(inside.mul(0.5))), reduction);
}
