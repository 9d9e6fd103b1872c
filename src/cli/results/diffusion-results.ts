/** What `langevin train diffusion` leaves behind beside what every training run does. */
import { encodePng } from '../../image/png.ts';
import { labelsInTurn, samplePictures } from '../../models/sample.ts';
import { sampleGrid } from '../../models/sample-grid.ts';
import { GUIDANCE } from '../../models/settings.ts';
import type { DiffusionRecipe } from '../../models/training/diffusion.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files by name, in the order in which they are written, and what is in each. */
export const DIFFUSION_FILES = {
  'model.safetensors': 'the moving average of the network, which samples',
  'metrics.json': 'losses and speed of every epoch, and all settings',
  'samples.png': 'pictures of its own, a class a column',
  'loss.svg': 'the loss over the epochs',
} as const;

const COUNT = 100;

/** A picture of samples, a class a column. */
function samples({ trainer }: Run<DiffusionRecipe>): Uint8Array {
  const { model, settings } = trainer.recipe;
  const { classes } = model.network.sizes;
  const columns = classes > 1 && classes <= 20 ? classes : 10;
  return trainer.withAverage(() => {
    const labels = labelsInTurn(model, Math.floor(COUNT / columns) * columns);
    const guidance = classes > 0 ? GUIDANCE : 1;
    const pictures = samplePictures(model, { labels, guidance, seed: settings.seed });
    return encodePng(sampleGrid(pictures, model.network.sizes, labels, columns));
  });
}

export function diffusionResults(run: Run<DiffusionRecipe>): Results {
  const { schedule, predicts, lossWeighting, batchSize } = run.trainer.recipe.settings;
  return {
    titles: {
      title: `Diffusion on ${setName(run.data)}`,
      subtitle: `${schedule} schedule, predicts ${predicts}, loss weighting ${lossWeighting}, batch ${batchSize}`,
      loss: lossName(run.trainer.recipe.settings),
    },
    contents: { 'samples.png': () => samples(run) },
  };
}

/** What the loss is of: see diffusion/objective.ts. */
function lossName({ predicts, lossWeighting }: DiffusionRecipe['settings']): string {
  if (lossWeighting === 'vlb') return 'variational bound, nats';
  if (lossWeighting === 'min-snr') return 'squared error of x0, weighted by min(SNR, γ)';
  if (lossWeighting === 'p2') return 'squared error of eps, weighted by 1/(k + SNR)';
  return `mean squared error of ${predicts === 'score' ? 'eps' : predicts}`;
}
