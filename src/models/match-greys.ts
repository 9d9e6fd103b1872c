/**
 * Computes the cuts of a trained model (cuts.ts). It samples pictures with the settings that the file will have. With the
 * cuts the greys of these samples are as frequent as in the training data. The same model, settings and seed give the
 * same cuts.
 */
import type { Dataset } from '../data/dataset.ts';
import { type MatchedGreys, matchedGreys } from './cuts.ts';
import { DiffusionPipeline } from './pipeline.ts';
import { type PicturesStep, type SampleOptions, sampleDiffusion } from './sample.ts';

/**
 * Samples a picture for each label, and yields after every step of the sampler.
 * @returns the cuts for this model, and those for each kind of picture
 * @throws as `sampleDiffusion`
 */
export function* matchGreys(
  model: DiffusionPipeline,
  dataset: Dataset,
  options: SampleOptions,
): Generator<PicturesStep, MatchedGreys> {
  // Linear tones decode v to (v + 1)/2, from which v comes back.
  const { schedule, steps, predicts, student = 0 } = model.settings;
  const linear = new DiffusionPipeline(model.network, { schedule, steps, predicts, student });
  const pictures = yield* sampleDiffusion(linear, { ...options, prepare: 'none' });
  return matchedGreys(
    pictures.map((value) => 2 * value - 1),
    dataset,
  );
}
