/** Which model samples, and how: the options that every command that samples shares. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { host } from '#host';
import { type Checkpoint, loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import { pictureName, type TrainTest } from '../../data/dataset.ts';
import type { SamplerName } from '../../diffusion/samplers/index.ts';
import { FileError } from '../../errors.ts';
import { type DiffusionPipeline, diffusionOf } from '../../models/pipeline.ts';
import type { Preparation } from '../../models/prepare.ts';
import { GUIDANCE, SAMPLING_TABLE } from '../../models/settings.ts';
import { counted } from '../report/counted.ts';
import type { Reporter } from '../report/reporter.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';
import { chooseData, loadData, savedData } from './data.ts';
import { PROGRAM } from './program.ts';

/** A model to sample from, and where it is. */
export interface LoadedModel {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly model: DiffusionPipeline;
}

/** The model that the options name. @throws UsageError, FileError, FormatError */
export async function loadModel(options: Options): Promise<LoadedModel> {
  const { model: given } = readSettings(SAMPLING_TABLE, options);
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const isDefault = given === SAMPLING_TABLE.model.default;
  const path = isFolder || isDefault ? join(given, 'model.safetensors') : given;
  if (!(await host.exists(path)) && statSync(path, { throwIfNoEntry: false }) === undefined) {
    const advice = `train one first with "${PROGRAM} train diffusion", or name one with --model`;
    throw new FileError(`cannot read ${path}: no such file or folder; ${advice}`);
  }
  const checkpoint = await loadCheckpoint(path);
  return { path, checkpoint, model: diffusionOf(checkpoint) };
}

/** How to sample, but for the labels, as results record it. */
export interface Sampling {
  readonly guidance: number;
  readonly guidanceAbove: number;
  readonly classifierGuidance: number;
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly prepare: Preparation;
  readonly seed: string;
}

/** @throws UsageError for what the model cannot do */
export function readSampling(options: Options, model: DiffusionPipeline): Sampling {
  const { model: _, guidance, ...sampling } = readSettings(SAMPLING_TABLE, options);
  if (model.classes === 0 && guidance !== undefined && guidance !== 1) {
    throw new UsageError(
      `--guidance: expected a model with labels, got an unconditional one with scale ${guidance}`,
    );
  }
  const available = model.schedule.times?.length ?? Infinity;
  // The default gives way to a schedule of fewer steps.
  const steps = options.steps === undefined ? Math.min(sampling.steps, available) : sampling.steps;
  if (steps > available) {
    throw new UsageError(
      `--steps: expected at most the ${available} that the model was trained with, got ${steps}`,
    );
  }
  const otherwise = model.classes === 0 ? 1 : sampling.classifierGuidance > 0 ? 0 : GUIDANCE;
  return { ...sampling, steps, guidance: guidance ?? otherwise };
}

/** How to sample in a line, for people. */
export function samplingLine(sampling: Sampling): string {
  const { sampler, steps, guidance, guidanceAbove, classifierGuidance, prepare } = sampling;
  const where = guidance > 1 && guidanceAbove > 0 ? ` above sigma/alpha ${guidanceAbove}` : '';
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
