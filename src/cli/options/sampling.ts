/** The options for the model and the sampler. All commands that sample share them. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { pictureName, type TrainTest } from '../../data/dataset.ts';
import { type DiffusionPipeline, diffusionOf } from '../../models/pipeline.ts';
import { defaultGuidance, type Sampling, samplingOf } from '../../models/sampling.ts';
import { SAMPLING_TABLE } from '../../models/settings.ts';
import { counted } from '../report/counted.ts';
import type { Reporter } from '../report/reporter.ts';
import { asUsage, type Options, readSettings, UsageError } from './arguments.ts';
import { chooseData, loadData, savedData } from './data.ts';
import { type ModelFile, readModelFile } from './model.ts';

/** A diffusion model, and its file. */
export interface LoadedModel extends ModelFile {
  readonly model: DiffusionPipeline;
}

/** Loads the model that the options select. @throws FileError, FormatError */
export async function loadModel(options: Options): Promise<LoadedModel> {
  const file = await readModelFile(readSettings(SAMPLING_TABLE, options).model);
  return { ...file, model: diffusionOf(file.checkpoint) };
}

/**
 * The settings of the sampling: from the options, else from the model's file, else the defaults.
 * @throws UsageError for settings that the model does not support
 */
export function readSampling(options: Options, model: DiffusionPipeline): Sampling {
  const typed = readSettings(SAMPLING_TABLE, options);
  return asUsage(() => samplingOf(model, typed, options.from !== undefined));
}

/** The settings of the sampling for the names of files. A guidance equal to the default is left out. */
export function namedSampling(sampling: Sampling, model: DiffusionPipeline): Partial<Sampling> {
  const { guidance, ...rest } = sampling;
  const byDefault = rest.classifierGuidance > 0 && model.classes > 0 ? 0 : defaultGuidance(model);
  return guidance === byDefault ? rest : sampling;
}

/** The settings of the sampling in one line of text. */
export function samplingLine(sampling: Sampling): string {
  const { sampler, steps, guidance, guidanceAbove, guidanceBelow, classifierGuidance, prepare } = sampling;
  const limits = [
    guidanceAbove > 0 && `above sigma/alpha ${guidanceAbove}`,
    guidanceBelow > 0 && `below sigma/alpha ${guidanceBelow}`,
  ].filter(Boolean);
  const where = guidance > 1 && limits.length > 0 ? ` ${limits.join(' and ')}` : '';
  const byClassifier = classifierGuidance > 0 ? `, classifier guidance ${classifierGuidance}` : '';
  const prepared = prepare === 'none' ? '' : `, prepared as ${prepare}`;
  return `sampler  ${sampler}, ${counted(steps, 'step')}, guidance ${guidance}${where}${byClassifier}${prepared}`;
}

/**
 * Loads the data that the options select, or else the model's training data.
 * @throws UsageError for pictures of another size, or another number of classes, than the model has
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
