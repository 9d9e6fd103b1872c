/** `langevin train diffusion`: what train.ts needs to know of it. Its options: options/diffusion.ts. */
import { DIFFUSION_MLP_SIZES, DiffusionMlp } from '../../models/networks/diffusion-mlp.ts';
import { DiffusionPipeline } from '../../models/pipeline.ts';
import { type DiffusionRecipe, diffusionTrainer, resumeDiffusion } from '../../models/training/diffusion.ts';
import { Rng } from '../../random/rng.ts';
import type { Options } from '../options/arguments.ts';
import { OUT, readDiffusion } from '../options/diffusion.ts';
import { DIFFUSION_FILES, diffusionResults } from '../results/diffusion-results.ts';
import { runTraining } from './train.ts';

/** What a run that goes on has from its file, by the names of the options. */
const FIXED = [
  'schedule',
  'steps',
  'predict',
  'weight',
  'model',
  'batchSize',
  'lr',
  'ema',
  'guidanceDropout',
  'seed',
];

/** Runs the command; the exit code. */
export const trainDiffusionCommand = (options: Options): Promise<number> =>
  runTraining<DiffusionRecipe>(
    {
      name: 'train diffusion',
      out: OUT,
      files: DIFFUSION_FILES,
      fixed: FIXED,
      begin(options) {
        const { settings, sizes } = readDiffusion(options);
        return (data, limitSeconds) => {
          const { height, width, channels, classes } = data.train;
          const known = settings.labelDropout === 1 ? 0 : classes;
          const rng = new Rng(settings.seed).stream('initial values');
          const all = { ...DIFFUSION_MLP_SIZES, ...sizes, height, width, channels, classes: known, rng };
          const model = new DiffusionPipeline(new DiffusionMlp(all), settings);
          return diffusionTrainer(model, data, settings, limitSeconds);
        };
      },
      resume: resumeDiffusion,
      lines,
      results: diffusionResults,
      next: (out) => [[`langevin sample --model ${out}`, 'more pictures of its own']],
    },
    options,
  );

function lines({ model, settings }: DiffusionRecipe, parameters: string): string[] {
  const { description, sizes } = model.network;
  const steps = model.schedule.times ? `, ${settings.steps.toLocaleString('en')} steps` : '';
  return [
    `network  ${description}, ${sizes.classes || 'no'} classes, ${parameters}`,
    `process  ${settings.schedule}${steps}, predicts ${settings.predicts}, loss weighting ${settings.lossWeighting}`,
  ];
}
