/** Which model samples, and how: the options that every command that samples shares. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'cac';
import { SAMPLERS, type SamplerName } from '../diffusion/samplers/index.ts';
import type { TrainedDiffusion } from '../models/diffusion-run.ts';
import type { SampleOptions } from '../models/sample-diffusion.ts';
import { count, number, type Options, oneOf, text, UsageError } from './arguments.ts';

const MODEL = 'out/diffusion/model.safetensors';
const STEPS = 50;
const GUIDANCE = 2;
/** Those that make pictures of noise. */
const NAMES = SAMPLERS.filter((name): name is SamplerName => name !== 'ddim-inversion');

/** Declares the options on a command. */
export function addSamplingOptions(command: Command): Command {
  return command
    .option('--model <path>', `The model's file, or the folder it is in (default: ${MODEL})`)
    .option(
      '--guidance <scale>',
      `1: as the model has it; more: as the label wants it (default: ${GUIDANCE})`,
    )
    .option('--sampler <name>', `${NAMES.join(', ')} (default: ddim)`)
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
export const samplerName = (options: Options): SamplerName => oneOf(options, 'sampler', NAMES, 'ddim');

/** How to sample, but for the labels. @throws UsageError for what the model cannot do */
export function readSampling(options: Options, model: TrainedDiffusion) {
  const scale = number(options, 'guidance', undefined, 'a number >= 0', (s) => s >= 0);
  if (model.classes === 0 && scale !== undefined && scale !== 1) {
    throw new UsageError(
      `--guidance: expected a model with labels, got an unconditional one with scale ${scale}`,
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
    guidance: scale ?? (model.classes > 0 ? GUIDANCE : 1),
    sampler: samplerName(options),
    steps,
    seed: text(options, 'seed', '0'),
  } satisfies Omit<SampleOptions, 'labels'>;
}
