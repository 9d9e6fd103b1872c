/**
 * Guidance: changes the model's predictions so that samples fit a label better.
 *
 * Classifier-free guidance: unconditional + scale·(conditional - unconditional). One kind of prediction is an affine
 * function of another, and its coefficients do not depend on the label. So the formula is the same for all kinds. With
 * scale 0 the label has no effect; 1 is the conditional model; above 1 the effect of the label is stronger. Guidance
 * can be limited to some times. At times with little noise it reduces the variety and costs a second evaluation, and
 * has little other effect.
 *
 * Classifier guidance: scale·∇ln p(y | x, t) is added to the score. So eps changes by -sigma·scale·∇, and x0 by
 * +sigma²/alpha·scale·∇. The tape computes the gradient. If alpha is 0, x does not depend on the label, and guidance
 * has no effect.
 *
 * Sources: Ho and Salimans, "Classifier-free diffusion guidance" (2021; their w is scale - 1); Kynkäänniemi et al.,
 * "Applying guidance in a limited interval improves sample and distribution quality" (2024); Dhariwal and
 * Nichol, "Diffusion models beat GANs on image synthesis" (2021), algorithms 1 and 2.
 */
import { scope } from '../autograd/tape.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { cat } from '../tensor/functions.ts';
import { gradientOf } from '../tensor/gradient.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkNumber } from './check.ts';
import { combine } from './combine.ts';
import { conversion, type Prediction, type Predictor } from './prediction.ts';
import type { NoiseSchedule } from './schedule.ts';

/** A label for each sample; null for no label. */
export type Labels = readonly (number | null)[];

/** The condition of each sample: a label, or a caption; null for none. */
export type Conditions = readonly (number | string | null)[];

/** A model whose condition can be a label or a caption. @typeParam C number for labels, string for captions */
export interface ConditionalModel<C extends number | string = number> {
  /** What the model predicts. */
  readonly predicts: Prediction;
  /** The number of classes; 0 for an unconditional model. */
  readonly classes: number;
  /** Whether the condition is a caption, and not a label. Default false. */
  readonly takesCaptions?: boolean;
  /** The prediction for x [batch, ...]. Each sample has its own label or caption. */
  predict(x: Tensor, t: number, labels: readonly (C | null)[]): Tensor;
  /** For a model with learnt variance: as in `Predictor`. */
  readonly predictWithVariance?:
    | ((x: Tensor, t: number, labels: readonly (C | null)[]) => { prediction: Tensor; share: Tensor })
    | undefined;
}

/** Options of every guidance. */
export interface GuidanceOptions {
  /** The guidance scale. Default 1, the conditional model. */
  readonly scale?: number;
}

/** Options of `classifierFree`. */
export interface ClassifierFreeOptions extends GuidanceOptions {
  /** Whether guidance is applied at t. At other times the prediction is the conditional one. Default: at all times. */
  readonly when?: (t: number) => boolean;
}

/**
 * A predictor for the given labels or captions. A learnt variance is that of the conditional model. If scale is neither 0
 * nor 1, the model is evaluated twice for each sample: with its condition and without. Both are one batch, because one matrix product is faster than two of half the rows.
 * @throws ValueError for a scale or labels on an unconditional model, a label out of range, captions for a model with
 * labels, or labels for a model with captions
 */
export function classifierFree<C extends number | string = number>(
  model: ConditionalModel<C>,
  labels: readonly (C | null)[],
  options: ClassifierFreeOptions = {},
): Predictor {
  const { scale, when } = withDefaults('classifierFree', options, { scale: 1, when: () => true });
  checkNumber('guidance: scale', scale);
  checkConditions(model, labels, scale);
  const none = labels.map(() => null);
  const checked = (x: Tensor) => {
    if (x.shape[0] === labels.length) return;
    throw new ShapeError(
      `guidance: expected ${labels.length} samples, one per label, got a batch [${x.shape}]`,
    );
  };
  const halves = (both: Tensor) => [both.slice([0], [labels.length]), both.slice([labels.length])] as const;
  const guided = (x: Tensor, both: Tensor) => {
    const [conditional, without] = halves(both);
    return combine(x.empty(x.shape), [1 - scale, without], [scale, conditional]);
  };
  const single = (t: number) => (scale === 1 || !when(t) ? labels : scale === 0 ? none : null);
  const learned = model.predictWithVariance;
  return {
    predicts: model.predicts,
    predict(x, t) {
      checked(x);
      const one = single(t);
      if (one) return model.predict(x, t, one);
      return guided(x, model.predict(cat([x, x]), t, [...labels, ...none]));
    },
    ...(learned && {
      predictWithVariance(x: Tensor, t: number) {
        checked(x);
        const one = single(t);
        if (one) return learned(x, t, one);
        const both = learned(cat([x, x]), t, [...labels, ...none]);
        return { prediction: guided(x, both.prediction), share: halves(both.share)[0] };
      },
    }),
  };
}

/** @throws ValueError for conditions or a scale that the model does not support */
function checkConditions(
  { classes, takesCaptions = false }: { readonly classes: number; readonly takesCaptions?: boolean },
  conditions: Conditions,
  scale: number,
): void {
  const given = conditions.filter((condition) => condition !== null);
  if (takesCaptions) {
    const label = given.find((condition) => typeof condition !== 'string');
    if (label === undefined) return;
    throw new ValueError(`guidance: expected captions for a model with captions, got the label ${label}`);
  }
  if (classes === 0 && (given.length > 0 || scale !== 1)) {
    const got = given.length > 0 ? 'labels' : `scale ${scale}`;
    throw new ValueError(`guidance: expected a model with labels, got an unconditional one with ${got}`);
  }
  const wrong = given.find((label) => !(Number.isInteger(label) && 0 <= +label && +label < classes));
  if (wrong !== undefined) {
    throw new ValueError(`guidance: expected labels from 0 to ${classes - 1}, got ${wrong}`);
  }
}

/** ln p(y | x, t) of each sample for its label, [batch], from a classifier of noised data. It must be made of ops. */
export type LogProbability = (x: Tensor, t: number) => Tensor;

/**
 * A predictor with classifier guidance.
 *
 * @param options `parameters` are those of the classifier: their gradients are not computed
 * @throws ValueError for a scale that is not a number >= 0. The predictor throws LangevinError inside noGrad().
 */
export function classifierGuided(
  model: Predictor,
  schedule: NoiseSchedule,
  logProbability: LogProbability,
  options: GuidanceOptions & { readonly parameters?: readonly Tensor[] } = {},
): Predictor {
  const { scale, parameters } = withDefaults('classifierGuided', options, { scale: 1, parameters: [] });
  checkNumber('guidance: scale', scale);
  return {
    predicts: model.predicts,
    predict(x, t) {
      const prediction = model.predict(x, t);
      const level = schedule.level(t);
      if (scale === 0 || level.alpha === 0) return prediction;
      // prediction = a·x + b·score for fixed x, so b·scale·∇ is added to the prediction.
      const [, b] = conversion('score', model.predicts, level);
      const result = x.empty(x.shape);
      scope(() => {
        const gradient = gradientOf((at) => logProbability(at, t), x, parameters);
        combine(result, [1, prediction], [b * scale, gradient]);
      });
      return result;
    },
  };
}
