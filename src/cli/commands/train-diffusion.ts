/** `langevin train diffusion`: its settings, its network and its results. train.ts runs the training. */
import { Objective } from '../../diffusion/objective.ts';
import { quoted } from '../../models/command-line.ts';
import { trainingSchedule } from '../../models/pipeline.ts';
import { DIFFUSION_TABLE } from '../../models/settings.ts';
import { type DiffusionRecipe, resumeDiffusion } from '../../models/training/diffusion.ts';
import { checkNetwork, newDiffusionTrainer } from '../../models/training/new-diffusion.ts';
import { asUsage, readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { PROGRAM } from '../options/program.ts';
import { DIFFUSION_FILES, diffusionResults } from '../results/diffusion-results.ts';
import { FROM_PICTURES, trainCommand } from './train.ts';

export const TRAIN_DIFFUSION: Command = trainCommand<DiffusionRecipe>({
  name: 'train diffusion',
  summary: 'Train a diffusion model, which generates digits from noise',
  examples: [
    'train diffusion --data mnist --seconds 600',
    'train diffusion --data mnist --model unet',
    'train diffusion --model unet-tiny --condition caption',
    'train diffusion --resume out/diffusion',
    'sample --label 7',
  ],
  table: DIFFUSION_TABLE,
  out: 'out/diffusion',
  files: DIFFUSION_FILES,
  ...FROM_PICTURES,
  begin(options) {
    const { seconds: _limit, ...settings } = readSettings(DIFFUSION_TABLE, options);
    // This checks that the settings fit together, before the data are loaded.
    asUsage(() => checkNetwork(settings), '--');
    const { predicts, lossWeighting } = settings;
    asUsage(() => new Objective(trainingSchedule(settings), { predicts, lossWeighting }));
    return (data, limitSeconds) => newDiffusionTrainer(data, settings, limitSeconds);
  },
  resume: resumeDiffusion,
  lines({ model, settings }, parameters) {
    const { description, sizes } = model.network;
    const steps = model.schedule.times ? `, ${settings.steps.toLocaleString('en')} steps` : '';
    const tones = model.settings.tones ? 'spread' : 'linear';
    const variance = model.network.learnsVariance ? ', learnt variance' : '';
    return [
      `network  ${description}, ${model.takesCaptions ? '' : `${sizes.classes || 'no'} classes, `}${parameters}`,
      `process  ${settings.schedule}${steps}, predicts ${settings.predicts}, loss weighting ${settings.lossWeighting}, ${tones} tones${variance}`,
    ];
  },
  results: diffusionResults,
  next: (out) => [[`${PROGRAM} sample --model ${quoted(out)}`, 'samples more pictures']],
});
