/** The results of `langevin train diffusion`, in addition to those of every training run. */
import { encodePng } from '../../image/png.ts';
import { labelsInTurn, samplePictures } from '../../models/sample.ts';
import { type Samples, sampleGrid } from '../../models/sample-grid.ts';
import { GUIDANCE } from '../../models/sampling-defaults.ts';
import type { DiffusionRecipe } from '../../models/training/diffusion.ts';
import { FigureHashes } from './figures.ts';
import { type Results, type Run, setName } from './run-results.ts';

/** The files in the order of writing, each with its description. */
export const DIFFUSION_FILES = {
  'model.safetensors': 'the moving average of the network, for sampling',
  'metrics.json': 'losses and speed of every epoch, and all settings',
  'samples.png': 'samples, one class per column',
  'loss.svg': 'the loss over the epochs',
} as const;

const COUNT = 100;

/** The number of columns: one for each class, if there are at most 20 classes. */
const columnsFor = (classes: number) => (classes > 1 && classes <= 20 ? classes : 10);

/** Pictures sampled with the moving average of the network. */
function samples({ trainer }: Run<DiffusionRecipe>): Samples {
  const { model, settings } = trainer.recipe;
  const { height, width, classes } = model.network.sizes;
  const columns = columnsFor(classes);
  const labels = labelsInTurn(model, Math.floor(COUNT / columns) * columns);
  const guidance = classes > 0 ? (model.sampling.guidance ?? GUIDANCE) : 1;
  const sampling = { labels, guidance, seed: settings.seed };
  const pictures = trainer.withAverage(() => samplePictures(model, sampling));
  return { height, width, labels, pictures };
}

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
        () => samples(run),
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
