/** `langevin train denoiser`: its settings, its network and its results. train.ts runs the training. */
import { DENOISER_TABLE } from '../../models/settings.ts';
import { type DenoiserRecipe, newDenoiserTrainer, resumeDenoiser } from '../../models/training/denoiser.ts';
import { readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { PROGRAM } from '../options/program.ts';
import { DENOISER_FILES, denoiserResults } from '../results/denoiser-results.ts';
import { FROM_PICTURES, trainCommand } from './train.ts';

export const TRAIN_DENOISER: Command = trainCommand<DenoiserRecipe>({
  name: 'train denoiser',
  summary: 'Train a denoising autoencoder, and draw its outputs',
  examples: [
    'train denoiser',
    'train denoiser --data mnist --out out/mnist',
    'train denoiser --model conv',
    'train denoiser --noise 0.8 --seed "my seed" --json',
  ],
  table: DENOISER_TABLE,
  out: 'out',
  files: DENOISER_FILES,
  ...FROM_PICTURES,
  begin(options, choice) {
    const { model: name, ...settings } = readSettings(DENOISER_TABLE, options, { data: choice.name });
    return (data, limitSeconds) => newDenoiserTrainer(name, { ...data, ...settings, limitSeconds });
  },
  resume: resumeDenoiser,
  lines: ({ module }, parameters) => [`denoiser ${module.description}, ${parameters}`],
  results: denoiserResults,
  next: () => [
    [`${PROGRAM} train denoiser --data mnist`, 'uses real handwriting, a download of 12 MB'],
    [`${PROGRAM} train denoiser --model conv`, 'trains a convolutional network, which is slower and better'],
    [`${PROGRAM} train denoiser --noise 0.8`, 'trains with more noise, a harder task'],
  ],
});
