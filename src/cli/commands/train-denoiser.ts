/** `langevin train denoiser`: what train.ts needs to know of it. */
import { Denoiser } from '../../models/networks/denoiser.ts';
import { DENOISER_TABLE } from '../../models/settings.ts';
import { type DenoiserRecipe, denoiserTrainer, resumeDenoiser } from '../../models/training/denoiser.ts';
import { Rng } from '../../random/rng.ts';
import { readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { PROGRAM } from '../options/program.ts';
import { DENOISER_FILES, denoiserResults } from '../results/denoiser-results.ts';
import { trainCommand } from './train.ts';

export const TRAIN_DENOISER: Command = trainCommand<DenoiserRecipe>({
  name: 'train denoiser',
  summary: 'Train the denoising autoencoder, and draw what it learned',
  examples: [
    'train denoiser',
    'train denoiser --data mnist --out out/mnist',
    'train denoiser --noise 0.8 --seed "my seed" --json',
  ],
  table: DENOISER_TABLE,
  out: 'out',
  files: DENOISER_FILES,
  begin(options, choice) {
    const settings = readSettings(DENOISER_TABLE, options, { data: choice.name });
    return (data, limitSeconds) => {
      const { height, width } = data.train;
      const rng = new Rng(settings.seed).stream('initial values');
      const model = new Denoiser({ inputs: height * width, rng });
      return denoiserTrainer(model, { ...data, ...settings, limitSeconds });
    };
  },
  resume: resumeDenoiser,
  lines({ module }, parameters) {
    const { inputs, hidden, code } = module.sizes;
    return [`denoiser ${[inputs, hidden, code, hidden, inputs].join('-')}, ${parameters}`];
  },
  results: denoiserResults,
  next: () => [
    [`${PROGRAM} train denoiser --data mnist`, 'real handwriting: 12 MB to download once'],
    [`${PROGRAM} train denoiser --noise 0.8`, 'a harder task'],
  ],
});
