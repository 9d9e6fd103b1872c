/**
 * Samples pictures from a trained diffusion model, with a sampler, labels and guidance. The predicted data are clipped to
 * the range of pixels.
 *
 * Many pictures are sampled in parts of 250, so that the memory does not grow with their number. One random stream gives
 * the noise of all parts. So the pictures depend only on the seed and on their number. A preparation (prepare.ts) replaces
 * some samples in rounds, and each round has its own seed. A given picture (edit.ts) can replace the noise, or some pixels.
 */
import { noGrad } from '../autograd/tape.ts';
import { pictureName, pictureSize } from '../data/dataset.ts';
import { checkNumber } from '../diffusion/check.ts';
import { fewStepLevels } from '../diffusion/few-steps.ts';
import { type Conditions, classifierFree, classifierGuided, type Labels } from '../diffusion/guidance.ts';
import { type NoiseLevel, noiseToSignal } from '../diffusion/level.ts';
import type { Predictor } from '../diffusion/prediction.ts';
import { createSampler, type SamplerName, startNoise } from '../diffusion/samplers/index.ts';
import type { Threshold } from '../diffusion/threshold.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { runToEnd } from '../generators.ts';
import { type Defaults, oneOf, withDefaults } from '../options.ts';
import { Rng, type Seed } from '../random/rng.ts';
import { checkEdit, type Edit, GivenPicture } from './edit.ts';
import type { NoiseClassifier } from './networks/noise-classifier.ts';
import type { Captions } from './networks/text-encoder.ts';
import type { DiffusionPipeline } from './pipeline.ts';
import {
  centre,
  hasMnistSize,
  MOST_ROUNDS,
  PREPARATIONS,
  type Preparation,
  requirePreparation,
} from './prepare.ts';
import { ownSamplingFor, SAMPLING_DEFAULTS } from './sampling-defaults.ts';
import { requireStudentSampling } from './student.ts';

/** The defaults in the file of the model (sampling-defaults.ts) replace the defaults that are named here. */
export interface SampleOptions {
  /** One label per picture. With null the model chooses the class. */
  readonly labels: Labels;
  /** One caption per picture, for a model with captions; null for none. The labels then only count the pictures. */
  readonly captions?: Captions | undefined;
  /** The scale of classifier-free guidance. Default 1, the conditional model. */
  readonly guidance?: number;
  /**
   * The smallest sigma/alpha at which a scale above 1 is applied. Default 1, where noise and data have the same factor.
   * 0 sets no lower limit.
   */
  readonly guidanceAbove?: number;
  /** The largest sigma/alpha at which a scale above 1 is applied. 0, the default, sets no upper limit. */
  readonly guidanceBelow?: number;
  /**
   * Guidance by a classifier of noised pictures towards the labels. It needs a label for each picture. The model itself
   * may have no labels.
   */
  readonly classifier?: ClassifierGuidance | undefined;
  /** Default `ddim`. */
  readonly sampler?: SamplerName;
  /** Default 50, or all steps of the schedule if they are fewer. */
  readonly steps?: number;
  /** Default `clip`, to the range of pixels. */
  readonly threshold?: Threshold;
  /** The seed of the noise and of the labels. */
  readonly seed?: Seed;
  /** The preparation of the training data, applied to samples (prepare.ts). Default `none`. */
  readonly prepare?: Preparation;
  /** A given picture, from which all samples start. Default none. */
  readonly edit?: Edit | undefined;
}

/** Guidance by a classifier of noised pictures. */
export interface ClassifierGuidance {
  /** The classifier, trained for the same process. */
  readonly model: NoiseClassifier;
  /** The factor of the gradient, >= 0. */
  readonly scale: number;
}

const SAMPLE_DEFAULTS = {
  labels: undefined,
  captions: undefined,
  guidance: 1,
  guidanceAbove: SAMPLING_DEFAULTS.guidanceAbove,
  guidanceBelow: SAMPLING_DEFAULTS.guidanceBelow,
  classifier: undefined,
  sampler: SAMPLING_DEFAULTS.sampler,
  steps: undefined,
  threshold: 'clip',
  seed: '0',
  prepare: SAMPLING_DEFAULTS.prepare,
  edit: undefined,
} as const satisfies Defaults<SampleOptions>;

const PART = 250;

/** One step of `samplePictures`. */
export interface PicturesStep {
  /** 0 while all pictures are sampled. From 1: the rounds that replace pictures. */
  readonly round: number;
  /** The number of pictures in this round. */
  readonly drawn: number;
  /** The number of steps that are done in this round, over all parts. */
  readonly step: number;
  /** The number of all steps of this round. */
  readonly steps: number;
  /** The part that is sampled now. `first` is the index of its first picture, and `step` of its `steps` are done. */
  readonly part: { readonly first: number; readonly step: number; readonly steps: number };
  /** The noise level of the pictures as they are now. */
  readonly level: NoiseLevel;
  /**
   * The pictures of this part as they are now, [n, height, width, channels]. 0 is black and 1 is white. With linear tones
   * noise exceeds this range.
   */
  pictures(): Float64Array;
  /** The data that the network predicted last in this step, in the same form. */
  predicted(): Float64Array;
}

/**
 * Makes pictures, and yields after every step of the sampler.
 * @returns all pictures, [labels.length, height, width, channels], 0 to 1
 * @throws ValueError for labels, scales, steps or samplers that do not fit the model; with a classifier ShapeError for
 * one of other pictures, and LangevinError inside noGrad(); ShapeError for a preparation of other pictures, ValueError for
 * one that would move known pixels; for an edit as `checkEdit`
 */
export function* sampleDiffusion(
  model: DiffusionPipeline,
  options: SampleOptions,
): Generator<PicturesStep, Float64Array> {
  const filled = filledOptions(model, options);
  const { classifier, edit, ...rest } = filled;
  const classifierGuidance = classifier ? classifier.scale : 0;
  requireStudentSampling(model.settings.student, { ...rest, classifierGuidance, edits: edit !== undefined });
  const { labels: all, captions: given } = filled;
  if (given && given.length !== all.length) {
    throw new ShapeError(`sample: expected ${all.length} captions, one per picture, got ${given.length}`);
  }
  const prepare = oneOf('prepare', PREPARATIONS, filled.prepare);
  requirePreparation(prepare, model.network.sizes);
  if (prepare !== 'none' && filled.edit?.mask) {
    throw new ValueError(`prepare ${prepare}: expected no mask, got one, whose known pixels it would move`);
  }
  const pictures = yield* drawPictures(model, filled, 0);
  if (prepare === 'none') return pictures;
  const { labels, captions, seed } = filled;
  const size = pictureSize(model.network.sizes);
  const at = (i: number) => pictures.subarray(i * size, (i + 1) * size);
  const wrongOf = (indices: readonly number[]) => indices.filter((i) => !hasMnistSize(at(i)));
  let wrong = wrongOf([...labels.keys()]);
  for (let round = 1; round <= MOST_ROUNDS && wrong.length > 0; round++) {
    const of = { labels: wrong.map((i) => labels[i]), captions: captions && wrong.map((i) => captions[i]) };
    const again = { ...filled, ...of, seed: `${seed}, round ${round}` };
    const fresh = yield* drawPictures(model, again, round);
    for (const [from, to] of wrong.entries()) at(to).set(fresh.subarray(from * size, (from + 1) * size));
    wrong = wrongOf(wrong);
  }
  for (const i of labels.keys()) centre(at(i));
  return pictures;
}

/** The model's own preparation is for samples of noise: it would move what is known of a given picture. */
const filledOptions = ({ sampling }: DiffusionPipeline, options: SampleOptions) =>
  withDefaults('sample', options, {
    ...SAMPLE_DEFAULTS,
    ...ownSamplingFor(sampling, options.sampler),
    ...(options.edit && { prepare: SAMPLE_DEFAULTS.prepare }),
  });

/** Options with their defaults. */
type Filled = ReturnType<typeof filledOptions>;

/** The grid of the sampler. A student has its own. */
const gridOf = ({ schedule, settings }: DiffusionPipeline, steps: number | undefined) =>
  settings.student ? { levels: fewStepLevels(schedule, settings.student) } : { steps };

const noiseOf = (seed: Seed) => new Rng(seed).stream('samples');

/**
 * What the sampling of the first `count` pictures begins with, as pictures [count, height, width, channels]. `count` is at
 * most 250, the pictures of a part.
 */
export function startPictures(model: DiffusionPipeline, count: number, seed: Seed): Float64Array {
  const { height, width, channels } = model.network.sizes;
  const noise = startNoise(model.schedule, [count, height, width, channels], noiseOf(seed));
  const pictures = model.decode(noise.toTypedArray());
  noise.dispose();
  return pictures;
}

/** One round: a picture for each label. */
function* drawPictures(
  model: DiffusionPipeline,
  filled: Filled,
  round: number,
): Generator<PicturesStep, Float64Array> {
  const { labels, captions, sampler: name, threshold, seed, steps } = filled;
  const { height, width, channels } = model.network.sizes;
  const size = pictureSize(model.network.sizes);
  const edit = filled.edit && checkEdit(filled.edit, model.network.sizes);
  const all = new Float64Array(labels.length * size);
  if (edit?.strength === 0) {
    for (const i of labels.keys()) all.set(edit.picture, i * size);
    return all;
  }
  const given = edit && new GivenPicture(model, edit);
  const grid = gridOf(model, steps);
  const sampler = given?.sampler(name, { threshold, ...grid }) ?? createSampler(name, { threshold, ...grid });
  const rng = noiseOf(seed);
  const parts = Math.ceil(labels.length / PART);
  try {
    for (let part = 0; part < parts; part++) {
      const first = part * PART;
      const partLabels = labels.slice(first, first + PART);
      const own = { ...filled, captions: captions?.slice(first, first + PART) };
      const predictor = guidedPredictor(model, partLabels, own);
      const noise = startNoise(model.schedule, [partLabels.length, height, width, channels], rng);
      given?.begin(noise, sampler);
      const run = sampler.sample(predictor, model.schedule, noise, rng);
      try {
        for (;;) {
          const { done, value } = run.next();
          if (done) {
            all.set(model.decode(value.toTypedArray()), first * size);
            value.dispose();
            break;
          }
          const { step, steps: each, level, x, x0 } = value;
          yield {
            round,
            drawn: labels.length,
            step: part * each + step,
            steps: parts * each,
            part: { first, step, steps: each },
            level,
            pictures: () => model.decode(x.toTypedArray()),
            predicted: () => model.decode(x0.toTypedArray()),
          };
        }
      } finally {
        run.return(noise); // frees the run's memory where the caller stopped asking
        noise.dispose();
      }
    }
  } finally {
    given?.dispose();
  }
  for (const [i, value] of all.entries()) all[i] = Math.min(1, Math.max(0, value));
  given?.restore(all);
  return all;
}

/** The model's predictor for labels or captions, with its guidance. Only guidance by a classifier computes gradients. */
export function guidedPredictor(
  model: DiffusionPipeline,
  labels: Labels,
  {
    captions,
    guidance,
    guidanceAbove,
    guidanceBelow,
    classifier,
  }: Pick<SampleOptions, 'captions'> &
    Required<Pick<SampleOptions, 'guidance' | 'guidanceAbove' | 'guidanceBelow' | 'classifier'>>,
): Predictor {
  checkNumber('guidance: above', guidanceAbove);
  checkNumber('guidance: below', guidanceBelow);
  const known: Conditions = captions ?? (model.classes > 0 || !classifier ? labels : labels.map(() => null));
  const most = guidanceBelow === 0 ? Infinity : guidanceBelow;
  const when = (t: number) => {
    const noise = noiseToSignal(model.schedule.level(t));
    return guidance <= 1 || (noise >= guidanceAbove && noise <= most);
  };
  const free = classifierFree(model, known, { scale: guidance, when });
  const { predictWithVariance } = free;
  const network: Predictor = {
    predicts: free.predicts,
    predict: (x, t) => noGrad(() => free.predict(x, t)),
    ...(predictWithVariance && {
      predictWithVariance: (x, t) => noGrad(() => predictWithVariance(x, t)),
    }),
  };
  if (!classifier) return network;
  const { model: judge, scale } = withDefaults('guidance: classifier', classifier, {
    model: undefined,
    scale: undefined,
  });
  requireFit(model, labels, judge);
  const { schedule } = model;
  const logProbability = judge.logProbability(labels as readonly number[]);
  const parameters = judge.parameters();
  return classifierGuided(network, schedule, logProbability, { scale, parameters });
}

/**
 * @throws ShapeError for a classifier of other pictures
 * @throws ValueError for one of other noise or tones, or labels that it does not know
 */
function requireFit(
  { network, schedule, settings }: DiffusionPipeline,
  labels: Labels,
  { sizes, noise, schedule: known }: NoiseClassifier,
): void {
  const [expected, got] = [pictureName(network.sizes), pictureName(sizes)];
  if (got !== expected) {
    throw new ShapeError(`guidance: expected a classifier of pictures of ${expected}, got one of ${got}`);
  }
  // Continuous time has no steps, whatever the settings say.
  if (schedule.name !== known.name || schedule.times?.length !== known.times?.length) {
    throw new ValueError(
      `guidance: expected a classifier of noise by ${settings.schedule}, ${settings.steps} steps, got one of ${noise.schedule}, ${noise.steps} steps`,
    );
  }
  if ((settings.tones ?? []).join() !== (noise.tones ?? []).join()) {
    throw new ValueError('guidance: expected a classifier of the same tones, got one of others');
  }
  const isClass = (label: number) => Number.isInteger(label) && label >= 0 && label < sizes.classes;
  const wrong = labels.find((label) => label === null || !isClass(label));
  if (wrong !== undefined) {
    throw new ValueError(
      `guidance: expected a label for each picture, 0 to ${sizes.classes - 1}, got ${wrong}`,
    );
  }
}

/** Runs a sampling to its end: see `sampleDiffusion`. @throws what it throws */
export function samplePictures(model: DiffusionPipeline, options: SampleOptions): Float64Array {
  return runToEnd(sampleDiffusion(model, options));
}

/** Labels for `count` pictures: each class in turn, or none where there are none. */
export function labelsInTurn({ classes }: { readonly classes: number }, count: number): Labels {
  return Array.from({ length: count }, (_, i) => (classes > 0 ? i % classes : null));
}
