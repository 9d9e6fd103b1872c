/** The results of `langevin train denoiser`, in addition to those of every training run. */
import { denoisedFigure, pureNoiseFigure } from '../../models/figures/denoiser.ts';
import type { DenoiserRecipe } from '../../models/training/denoiser.ts';
import { drawRows, FigureHashes } from './figures.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files in the order of writing, each with its description. */
export const DENOISER_FILES = {
  'model.safetensors': 'the trained model, readable by PyTorch too',
  'metrics.json': 'losses and speed of every epoch, and all settings',
  'denoised.png': 'test digits, the same digits with noise, and the outputs of the model',
  'pure-noise.png': 'pure noise, and the output of the model',
  'pure-noise-5x.png': 'pure noise, and the outputs of five passes through the model',
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
