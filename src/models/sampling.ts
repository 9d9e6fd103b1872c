/**
 * The settings with which a model samples: those that were chosen, else those in the model's file, else the defaults
 * (sampling-defaults.ts). The command and the page share them.
 */
import type { Labels } from '../diffusion/guidance.ts';
import type { SamplerName } from '../diffusion/samplers/index.ts';
import { ValueError } from '../errors.ts';
import { digitCaptions } from './captions/by-row.ts';
import { meaningOf } from './captions/words.ts';
import type { DiffusionPipeline } from './pipeline.ts';
import type { Preparation } from './prepare.ts';
import { labelsInTurn } from './sample.ts';
import { GUIDANCE, type OwnSampling, ownSamplingFor, SAMPLING_DEFAULTS } from './sampling-defaults.ts';
import { requireStudentSampling } from './student.ts';

/** The settings of the sampling without the labels, in the form that results record. */
export interface Sampling {
  readonly guidance: number;
  readonly guidanceAbove: number;
  readonly guidanceBelow: number;
  readonly classifierGuidance: number;
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly prepare: Preparation;
  readonly seed: string;
}

/** What was chosen. Anything but the seed may be left out. */
export type ChosenSampling = { readonly [K in keyof OwnSampling]?: OwnSampling[K] | undefined } & {
  readonly classifierGuidance?: number;
  readonly seed: string;
};

/** The default guidance of a model whose file has none. */
export const defaultGuidance = ({ isConditional }: DiffusionPipeline): number =>
  isConditional ? GUIDANCE : 1;

/**
 * The settings of the sampling with a model.
 * @param edits whether the samples are made from a given picture
 * @throws ValueError for settings that the model does not support
 */
export function samplingOf(model: DiffusionPipeline, chosen: ChosenSampling, edits = false): Sampling {
  const { guidance, classifierGuidance = 0, seed } = chosen;
  if (!model.isConditional && guidance !== undefined && guidance !== 1) {
    throw new ValueError(
      `--guidance: expected a model with labels or captions, got an unconditional one with scale ${guidance}`,
    );
  }
  requireStudentSampling(model.settings.student, { ...chosen, edits }, '--');
  if (model.takesCaptions && classifierGuidance > 0) {
    throw new ValueError('--classifier-guidance: expected a model without captions, got one with captions');
  }
  const own = { ...SAMPLING_DEFAULTS, ...ownSamplingFor(model.sampling, chosen.sampler) };
  const available = model.schedule.times?.length ?? Infinity;
  // The default is reduced for a schedule of fewer steps.
  const steps = chosen.steps ?? Math.min(own.steps, available);
  if (steps > available) {
    throw new ValueError(
      `--steps: expected at most the ${available} steps of the training schedule, got ${steps}`,
    );
  }
  const guidanceDefault =
    classifierGuidance > 0 && model.classes > 0 ? 0 : (own.guidance ?? defaultGuidance(model));
  return {
    sampler: chosen.sampler ?? own.sampler,
    steps,
    guidance: guidance ?? guidanceDefault,
    guidanceAbove: chosen.guidanceAbove ?? own.guidanceAbove,
    guidanceBelow: chosen.guidanceBelow ?? own.guidanceBelow,
    classifierGuidance,
    // The preparation moves pictures. So it is off by default for samples of a given picture.
    prepare: chosen.prepare ?? (edits ? SAMPLING_DEFAULTS.prepare : own.prepare),
    seed,
  };
}

/** What decides which labels and captions there are: a model, or a data set. */
export interface Conditioned {
  /** 0 without labels. */
  readonly classes: number;
  readonly takesCaptions?: boolean;
}

/** What the pictures of a sampling are to show: one label for each, and one caption if the model takes captions. */
export interface SampleConditions {
  readonly labels: Labels;
  readonly captions?: readonly string[];
}

/**
 * The labels of `n` pictures, and their captions. With captions the labels are the digits that they name, null for none.
 * @throws as `captionsFor` and `labelsFor`
 */
export function conditionsFor(
  model: Conditioned,
  {
    label,
    caption,
  }: { readonly label?: readonly number[] | undefined; readonly caption?: string | undefined },
  n: number,
): SampleConditions {
  const captions = captionsFor(model, caption, n);
  const labels = labelsFor(model, label, n);
  return captions ? { labels: captions.map((text) => meaningOf(text).digit), captions } : { labels };
}

/**
 * A caption for each of `n` pictures: the wanted ones in turn, or one for each digit. Undefined for a model without
 * captions.
 * @param wanted captions, separated by |
 * @throws ValueError for a caption that the model cannot draw, or for captions if the model takes none
 */
export function captionsFor(
  { takesCaptions = false, classes }: Conditioned,
  wanted: string | undefined,
  n: number,
): readonly string[] | undefined {
  if (!takesCaptions) {
    if (wanted === undefined) return undefined;
    const got =
      classes > 0 ? `one with labels from 0 to ${classes - 1}; use --label` : 'an unconditional one';
    throw new ValueError(`caption: expected a model with captions, got ${got}`);
  }
  const captions = wanted?.split('|').map((caption) => caption.trim()) ?? digitCaptions();
  for (const caption of captions) meaningOf(caption);
  return Array.from({ length: n }, (_, i) => captions[i % captions.length]);
}

/**
 * A label for each of `n` pictures: the wanted ones in turn, or all classes.
 * @throws ValueError for labels that there are not
 */
export function labelsFor(sizes: Conditioned, wanted: readonly number[] | undefined, n: number): Labels {
  if (!wanted) return labelsInTurn(sizes, n);
  const { classes, takesCaptions = false } = sizes;
  if (takesCaptions) {
    throw new ValueError('--label: expected a model with labels, got one with captions; use --caption');
  }
  if (classes === 0) throw new ValueError('--label: expected a model with labels, got an unconditional one');
  const wrong = wanted.find((label) => label >= classes);
  if (wrong !== undefined) {
    throw new ValueError(`--label: expected labels from 0 to ${classes - 1}, got ${wrong}`);
  }
  return Array.from({ length: n }, (_, i) => wanted[i % wanted.length]);
}
