/** Samples of a diffusion model, and how they grow out of noise. */
import { pictureSize } from '../../data/dataset.ts';
import type { DiffusionPipeline } from '../pipeline.ts';
import { type PicturesStep, type SampleOptions, sampleDiffusion } from '../sample.ts';
import type { Samples } from '../sample-grid.ts';

export interface GrowingSamples {
  /**
   * The first pictures at the same steps of the sampler, each `[shown · height·width]`; noise goes beyond 0 and 1. With a
   * preparation they are those of the first drawing.
   */
  readonly before: readonly Float64Array[];
  readonly last: Samples;
}

/**
 * Makes pictures, and yields after every step of the sampler.
 * @param mostFrames in `before` at most; a long run skips steps
 * @param shown how many pictures `before` has of each step; all by default
 * @throws as `sampleDiffusion`
 */
export function* growingSamples(
  model: DiffusionPipeline,
  options: SampleOptions,
  mostFrames: number,
  shown = options.labels.length,
): Generator<PicturesStep, GrowingSamples> {
  const { sizes } = model.network;
  const { height, width } = sizes;
  const { labels } = options;
  const size = pictureSize(sizes);
  const before: Float64Array[] = [];
  const run = sampleDiffusion(model, options);
  for (;;) {
    const { done, value } = run.next();
    if (done) return { before, last: { height, width, labels, pictures: value } };
    const { round, part } = value;
    const { first, step, steps } = part;
    const every = Math.ceil(steps / mostFrames);
    if (round === 0 && step < steps && step % every === 0 && first < shown) {
      // Pictures are made part by part: a later part fills its places in the same frames.
      const frame = step / every - 1;
      before[frame] ??= new Float64Array(Math.min(shown, labels.length) * size);
      before[frame].set(value.pictures().subarray(0, (shown - first) * size), first * size);
    }
    yield value;
  }
}
