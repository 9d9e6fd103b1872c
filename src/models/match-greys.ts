/**
 * Cuts between greys for a trained model: pictures are drawn with the settings that will sample, and the cuts are set so
 * that their greys have the shares of the training data (tones.ts). The same model, settings and seed give the same cuts.
 */
import type { Dataset } from '../data/dataset.ts';
import { DiffusionPipeline } from './pipeline.ts';
import { type PicturesStep, type SampleOptions, sampleDiffusion } from './sample.ts';
import { type Cuts, matchedCuts } from './tones.ts';

/**
 * Draws a picture for each label, and yields after every step of the sampler.
 * @returns the cuts for this model
 * @throws as `sampleDiffusion`
 */
export function* matchGreys(
  model: DiffusionPipeline,
  dataset: Dataset,
  options: SampleOptions,
): Generator<PicturesStep, Cuts> {
  // Linear tones decode v to (v + 1)/2, from which v comes back.
  const { schedule, steps, predicts } = model.settings;
  const linear = new DiffusionPipeline(model.network, { schedule, steps, predicts });
  const pictures = yield* sampleDiffusion(linear, { ...options, prepare: 'none' });
  return matchedCuts(
    pictures.map((value) => 2 * value - 1),
    dataset,
  );
}
