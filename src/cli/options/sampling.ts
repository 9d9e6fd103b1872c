/** Which model samples, and how: the options that every command that samples shares. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { pictureName, type TrainTest } from '../../data/dataset.ts';
import type { SamplerName } from '../../diffusion/samplers/index.ts';
import { type DiffusionPipeline, diffusionOf } from '../../models/pipeline.ts';
import type { Preparation } from '../../models/prepare.ts';
import { GUIDANCE, ownSamplingFor, SAMPLING_DEFAULTS } from '../../models/sampling-defaults.ts';
import { SAMPLING_TABLE } from '../../models/settings.ts';
import { counted } from '../report/counted.ts';
import type { Reporter } from '../report/reporter.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';
import { chooseData, loadData, savedData } from './data.ts';
import { type ModelFile, readModelFile } from './model.ts';

/** A model to sample from, and its file. */
export interface LoadedModel extends ModelFile {
  readonly model: DiffusionPipeline;
}

/** The model that the options name. @throws FileError, FormatError */
export async function loadModel(options: Options): Promise<LoadedModel> {
  const file = await readModelFile(readSettings(SAMPLING_TABLE, options).model);
  return { ...file, model: diffusionOf(file.checkpoint) };
}

/** How to sample, but for the labels, as results record it. */
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

/** The guidance of a model that says nothing of it. */
const usualGuidance = ({ classes }: DiffusionPipeline): number => (classes === 0 ? 1 : GUIDANCE);

/**
 * How to sample: by the options, else by the model, else by the defaults.
 * @throws UsageError for what the model cannot do
 */
export function readSampling(options: Options, model: DiffusionPipeline): Sampling {
  const typed = readSettings(SAMPLING_TABLE, options);
  const { guidance, classifierGuidance, seed } = typed;
  if (model.classes === 0 && guidance !== undefined && guidance !== 1) {
    throw new UsageError(
      `--guidance: expected a model with labels, got an unconditional one with scale ${guidance}`,
    );
  }
  const own = { ...SAMPLING_DEFAULTS, ...ownSamplingFor(model.sampling, typed.sampler) };
  const available = model.schedule.times?.length ?? Infinity;
  // The default gives way to a schedule of fewer steps.
  const steps = typed.steps ?? Math.min(own.steps, available);
  if (steps > available) {
    throw new UsageError(
      `--steps: expected at most the ${available} that the model was trained with, got ${steps}`,
    );
  }
  const otherwise = classifierGuidance > 0 && model.classes > 0 ? 0 : (own.guidance ?? usualGuidance(model));
  return {
    sampler: typed.sampler ?? own.sampler,
    steps,
    guidance: guidance ?? otherwise,
    guidanceAbove: typed.guidanceAbove ?? own.guidanceAbove,
    guidanceBelow: typed.guidanceBelow ?? own.guidanceBelow,
    classifierGuidance,
    // A given picture stays where it is unless the options say otherwise.
    prepare: typed.prepare ?? (options.from === undefined ? own.prepare : SAMPLING_DEFAULTS.prepare),
    seed,
  };
}

/** The sampling as the names of files have it: without the guidance that a model has where nobody says anything. */
export function namedSampling(sampling: Sampling, model: DiffusionPipeline): Partial<Sampling> {
  const { guidance, ...rest } = sampling;
  const usual = rest.classifierGuidance > 0 && model.classes > 0 ? 0 : usualGuidance(model);
  return guidance === usual ? rest : sampling;
}

/** How to sample in a line, for people. */
export function samplingLine(sampling: Sampling): string {
  const { sampler, steps, guidance, guidanceAbove, guidanceBelow, classifierGuidance, prepare } = sampling;
  const limits = [
    guidanceAbove > 0 && `above sigma/alpha ${guidanceAbove}`,
    guidanceBelow > 0 && `below sigma/alpha ${guidanceBelow}`,
  ].filter(Boolean);
  const where = guidance > 1 && limits.length > 0 ? ` ${limits.join(' and ')}` : '';
  const byClassifier = classifierGuidance > 0 ? `, by a classifier ${classifierGuidance}` : '';
  const prepared = prepare === 'none' ? '' : `, prepared as ${prepare}`;
  return `sampler  ${sampler}, ${counted(steps, 'step')}, guidance ${guidance}${where}${byClassifier}${prepared}`;
}

/**
 * The data that the model was trained on, or those that the options name.
 * @throws UsageError for data of another size or with other classes than the model's
 */
export async function loadModelData(
  options: Options,
  checkpoint: Checkpoint,
  { network: { sizes } }: DiffusionPipeline,
  reporter: Reporter,
): Promise<TrainTest> {
  const saved = options.data === undefined ? savedData(checkpoint) : {};
  const data = await loadData(chooseData({ ...saved, ...options }), reporter);
  const { classes } = sizes;
  const { train } = data;
  if (pictureName(train) !== pictureName(sizes) || (classes > 0 && train.classes !== classes)) {
    const expected = `${pictureName(sizes)}${classes > 0 ? ` in ${classes} classes` : ''}`;
    const got = `${pictureName(train)} in ${train.classes} classes`;
    throw new UsageError(`--data: expected pictures of ${expected}, got ${got}`);
  }
  return data;
}
