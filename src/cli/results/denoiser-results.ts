/** What `langevin train denoiser` leaves behind beside what every training run does. */
import type { DenoiserRecipe } from '../../models/training/denoiser.ts';
import { denoiserPictures } from './denoiser-pictures.ts';
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
  return {
    titles: {
      title: `Denoiser on ${setName(data)}`,
      subtitle: `noise ${settings.noise}, batch ${settings.batchSize}, learning rate ${settings.lr}`,
      loss: 'mean squared error',
    },
    contents: denoiserPictures(module, data.test, settings),
  };
}
