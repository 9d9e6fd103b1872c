/** Which model samples, and how: the options that every command that samples shares. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'cac';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { pictureName, type TrainTest } from '../../data/dataset.ts';
import { SAMPLERS, type SamplerName } from '../../diffusion/samplers/index.ts';
import type { DiffusionPipeline } from '../../models/pipeline.ts';
import { GUIDANCE_ABOVE } from '../../models/sample.ts';
import type { Reporter } from '../report/reporter.ts';
import { count, number, type Options, oneOf, text, UsageError } from './arguments.ts';
import { addDataOptions, chooseData, loadData, savedData } from './data.ts';

const MODEL = 'out/diffusion/model.safetensors';
const STEPS = 50;
/** Scale of the guidance of models with labels. */
export const GUIDANCE = 2;
/** Those that make pictures of noise. */
export const PICTURE_SAMPLERS = SAMPLERS.filter((name): name is SamplerName => name !== 'ddim-inversion');

/** Declares the options on a command. */
export function addSamplingOptions(command: Command): Command {
  addDataOptions(command, "the model's own");
  return command
    .option('--model <path>', `The model's file, or the folder it is in (default: ${MODEL})`)
    .option(
      '--guidance <scale>',
      `1: as the model has it; more: as the label wants it (default: ${GUIDANCE}; 0, the label withheld, with a classifier)`,
    )
    .option(
      '--guidance-above <ratio>',
      `Guides where sigma/alpha, the noise beside the data, is at least this; 0: always (default: ${GUIDANCE_ABOVE})`,
    )
    .option(
      '--classifier-guidance <scale>',
      'Towards the label by a classifier of noised pictures, trained once on --data (default: 0, none)',
    )
    .option('--sampler <name>', `${PICTURE_SAMPLERS.join(', ')} (default: ddim)`)
    .option('--steps <n>', `Steps of the sampler (default: ${STEPS})`)
    .option('--seed <seed>', 'Any text or number; the same seed gives the same bits (default: 0)');
}

/** The model's file. @throws UsageError */
export function modelPath(options: Options): string {
  const given = text(options, 'model', MODEL);
  const isFolder = statSync(given, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? join(given, 'model.safetensors') : given;
}

/** @throws UsageError for an unknown sampler */
export const samplerName = (options: Options): SamplerName =>
  oneOf(options, 'sampler', PICTURE_SAMPLERS, 'ddim');

/** How to sample, but for the labels, as results record it. */
export interface Sampling {
  readonly guidance: number;
  readonly guidanceAbove: number;
  readonly classifierGuidance: number;
  readonly sampler: SamplerName;
  readonly steps: number;
  readonly seed: string;
}

/** @throws UsageError for what the model cannot do */
export function readSampling(options: Options, model: DiffusionPipeline): Sampling {
  const scale = (name: string) => number(options, name, undefined, 'a number >= 0', (s) => s >= 0);
  const [guidance, byClassifier] = [scale('guidance'), scale('classifierGuidance') ?? 0];
  if (model.classes === 0 && guidance !== undefined && guidance !== 1) {
    throw new UsageError(
      `--guidance: expected a model with labels, got an unconditional one with scale ${guidance}`,
    );
  }
  const available = model.schedule.times?.length ?? Infinity;
  const steps = count(options, 'steps', Math.min(STEPS, available));
  if (steps > available) {
    throw new UsageError(
      `--steps: expected at most the ${available} that the model was trained with, got ${steps}`,
    );
  }
  return {
    guidance: guidance ?? (model.classes === 0 ? 1 : byClassifier > 0 ? 0 : GUIDANCE),
    guidanceAbove: scale('guidanceAbove') ?? GUIDANCE_ABOVE,
    classifierGuidance: byClassifier,
    sampler: samplerName(options),
    steps,
    seed: text(options, 'seed', '0'),
  };
}

/** How to sample in a line, for people. */
export function samplingLine(sampling: Sampling): string {
  const { sampler, steps, guidance, guidanceAbove, classifierGuidance } = sampling;
  const where = guidance > 1 && guidanceAbove > 0 ? ` above sigma/alpha ${guidanceAbove}` : '';
  const byClassifier = classifierGuidance > 0 ? `, by a classifier ${classifierGuidance}` : '';
  return `sampler  ${sampler}, ${steps} steps, guidance ${guidance}${where}${byClassifier}`;
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
