/** The results of `langevin train diffusion`, in addition to those of every training run. */
import { encodePng } from '../../image/png.ts';
import { sampleGrid } from '../../models/sample-grid.ts';
import type { DiffusionRecipe } from '../../models/training/diffusion.ts';
import { columnsFor, samplesOf } from '../../models/training/new-diffusion.ts';
import { FigureHashes } from './figures.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files in the order of writing, each with its description. */
export const DIFFUSION_FILES = {
  'model.safetensors': 'the moving average of the network, for sampling',
  'metrics.json': 'losses and speed of every epoch, and all settings',
  'samples.png': 'samples, one class per column',
  'loss.svg': 'the loss over the epochs',
} as const;

export function diffusionResults(run: Run<DiffusionRecipe>): Results {
  const { model, settings } = run.trainer.recipe;
  const { schedule, predicts, lossWeighting, batchSize } = settings;
  const columns = columnsFor(model.network.sizes.classes);
  const hashes = new FigureHashes();
  return {
    titles: {
      title: `Diffusion on ${setName(run.data)}`,
      subtitle: `${schedule} schedule, predicts ${predicts}, loss weighting ${lossWeighting}, batch ${batchSize}`,
      loss: lossName(settings),
    },
    contents: {
      'samples.png': hashes.content(
        'samples.png',
        () => samplesOf(run.trainer),
        (figure) => encodePng(sampleGrid(figure, columns)),
      ),
    },
    hashes,
  };
}

/** The name of the loss. diffusion/objective.ts defines it. */
function lossName({ predicts, lossWeighting }: DiffusionRecipe['settings']): string {
  if (lossWeighting === 'vlb') return 'variational bound, nats';
  if (lossWeighting === 'min-snr') return 'squared error of x0, weighted by min(SNR, γ)';
  if (lossWeighting === 'p2') return 'squared error of eps, weighted by 1/(k + SNR)';
  return `mean squared error of ${predicts === 'score' ? 'eps' : predicts}`;
}
