/** What `langevin train denoiser` leaves behind beside what every training run does. */
import { denoisedFigure, pureNoiseFigure } from '../../models/figures/denoiser.ts';
import type { DenoiserRecipe } from '../../models/training/denoiser.ts';
import { drawRows, FigureHashes } from './figures.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files by name, in the order in which they are written, and what is in each. */
export const DENOISER_FILES = {
  'model.safetensors': 'the trained model, readable by PyTorch too',
  'metrics.json': 'losses and speed of every epoch, and all settings',
  'denoised.png': 'test digits, the same with noise, and what the model makes of them',
  'pure-noise.png': 'the model on nothing but noise',
  'pure-noise-5x.png': 'the same, five times in a row',
  'loss.svg': 'the loss over the epochs',
} as const;

export function denoiserResults({ trainer: { recipe }, data }: Run<DenoiserRecipe>): Results {
  const { module, settings } = recipe;
  const hashes = new FigureHashes();
  const denoised = () => denoisedFigure(module, data.test, settings);
  const pureNoise = (passes: number) => () => pureNoiseFigure(module, data.test, settings, passes);
  return {
    titles: {
      title: `Denoiser on ${setName(data)}`,
      subtitle: `noise ${settings.noise}, batch ${settings.batchSize}, learning rate ${settings.lr}`,
      loss: 'mean squared error',
    },
    contents: {
      'denoised.png': hashes.content('denoised.png', denoised, drawRows),
      'pure-noise.png': hashes.content('pure-noise.png', pureNoise(1), drawRows),
      'pure-noise-5x.png': hashes.content('pure-noise-5x.png', pureNoise(5), drawRows),
    },
    hashes,
  };
}
