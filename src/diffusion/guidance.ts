/**
 * Guidance: steering samples towards a label, by changing what a sampler asks.
 *
 * Classifier-free: unconditional + scale·(conditional - unconditional). The kinds of prediction are affine in one
 * another with coefficients that do not depend on the label, so this is the same in all of them. Scale 0 ignores
 * the label, 1 is the conditional model, above 1 exaggerates it. It may be confined to some times: where little noise
 * is left it costs variety and a second evaluation, and changes little else.
 *
 * By a classifier: the score gains scale·∇ln p(y | x, t), so eps loses sigma·scale·∇, and x0 gains
 * sigma²/alpha·scale·∇. The gradient runs through the tape. Where alpha is 0 x knows nothing of the label, and there
 * is nothing to gain.
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

/** A label for each sample; null for none. */
export type Labels = readonly (number | null)[];

/** A model that may take labels as its condition. */
export interface ConditionalModel {
  readonly predicts: Prediction;
  /** The number of classes; 0 for a model that knows none. */
  readonly classes: number;
  /** The prediction for x [batch, ...], each sample by its own label. */
  predict(x: Tensor, t: number, labels: Labels): Tensor;
}

export interface GuidanceOptions {
  /** 1, the conditional model, by default. */
  readonly scale?: number;
}

export interface ClassifierFreeOptions extends GuidanceOptions {
  /** At which times it is applied; at others the conditional model answers alone. At all by default. */
  readonly when?: (t: number) => boolean;
}

/**
 * A predictor for the given labels. Where scale is neither 0 nor 1 the model is asked for every sample twice, with
 * its label and without, in one batch: a matrix product does better on twice the rows than on the halves in turn.
 * @throws ValueError for a scale or labels on an unconditional model, or a label out of range
 */
export function classifierFree(
  model: ConditionalModel,
  labels: Labels,
  options: ClassifierFreeOptions = {},
): Predictor {
  const { scale, when } = withDefaults('classifierFree', options, { scale: 1, when: () => true });
  checkNumber('guidance: scale', scale);
  const given = labels.filter((label) => label !== null);
  if (model.classes === 0 && (given.length > 0 || scale !== 1)) {
    throw new ValueError(
      `guidance: expected a model with labels, got an unconditional one with ${given.length > 0 ? 'labels' : `scale ${scale}`}`,
    );
  }
  const wrong = given.find((label) => !Number.isInteger(label) || label < 0 || label >= model.classes);
  if (wrong !== undefined) {
    throw new ValueError(`guidance: expected labels from 0 to ${model.classes - 1}, got ${wrong}`);
  }
  const none: Labels = labels.map(() => null);
  const checked = (x: Tensor) => {
    if (x.shape[0] === labels.length) return;
    throw new ShapeError(
      `guidance: expected ${labels.length} samples, one a label, got a batch [${x.shape}]`,
    );
  };
  return {
    predicts: model.predicts,
    predict(x, t) {
      checked(x);
      if (scale === 1 || !when(t)) return model.predict(x, t, labels);
      if (scale === 0) return model.predict(x, t, none);
      const both = model.predict(cat([x, x]), t, [...labels, ...none]);
      const [conditional, without] = [both.slice([0], [labels.length]), both.slice([labels.length])];
      return combine(x.empty(x.shape), [1 - scale, without], [scale, conditional]);
    },
  };
}

/** ln p(y | x, t) of each sample for its own label, [batch], made of ops: what a classifier on noised data gives. */
export type LogProbability = (x: Tensor, t: number) => Tensor;

/**
 * A predictor steered by the gradient of a log probability.
 *
 * @param parameters the classifier's, whose gradients are not wanted and are left alone
 * @throws ValueError for a scale that is no number >= 0; its predictor throws LangevinError inside noGrad()
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
      // prediction = a·x + b·score for fixed x, so that it gains b·scale·∇.
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
