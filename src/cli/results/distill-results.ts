/** The results of `langevin distill`, in addition to those of every training run. The files are those of a diffusion run. */
import { encodePng } from '../../image/png.ts';
import { sampleGrid } from '../../models/sample-grid.ts';
import type { DistillRecipe } from '../../models/training/distill.ts';
import { columnsFor, samplesOf } from '../../models/training/new-diffusion.ts';
import { FigureHashes } from './figures.ts';
import type { NamedSets, Results, Run } from './run-results.ts';

export function distillResults({ trainer }: Run<DistillRecipe, NamedSets>): Results {
  const { model, settings } = trainer.recipe;
  const { student, teacherSteps, paths, batchSize } = settings;
  const columns = columnsFor(model.network.sizes.classes);
  const hashes = new FigureHashes();
  return {
    titles: {
      title: `A student of ${student === 1 ? '1 step' : `${student} steps`}`,
      subtitle: `from ${teacherSteps} steps of its teacher, ${paths} paths, batch ${batchSize}`,
      loss: `mean squared error of ${model.predicts}`,
    },
    contents: {
      'samples.png': hashes.content(
        'samples.png',
        () => samplesOf(trainer),
        (figure) => encodePng(sampleGrid(figure, columns)),
      ),
    },
    hashes,
  };
}
