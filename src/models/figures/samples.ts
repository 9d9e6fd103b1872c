/** Samples of a diffusion model, and their states during sampling. */
import { pictureSize } from '../../data/dataset.ts';
import type { DiffusionPipeline } from '../pipeline.ts';
import { type PicturesStep, type SampleOptions, sampleDiffusion } from '../sample.ts';
import type { Samples } from '../sample-grid.ts';
import { pictureSizeOf } from './picture-rows.ts';

/** The largest number of frames in `before` that the command and the page show. Runs of more steps skip some. */
export const MOST_FRAMES = 60;

export interface GrowingSamples {
  /**
   * The first pictures after some of the steps, each `[shown · height·width·channels]`. Noise can lie outside [0, 1]. With a
   * preparation they are those of the first round.
   */
  readonly before: readonly Float64Array[];
  readonly last: Samples;
}

/** What an edit shows of itself beside its samples. */
function givenOf({ edit }: SampleOptions): Pick<Samples, 'given'> {
  if (!edit) return {};
  const picture = Float64Array.from(edit.picture);
  if (!edit.mask) return { given: { picture } };
  return { given: { picture, mask: Float64Array.from(edit.mask, (value) => (value === 0 ? 0 : 1)) } };
}

/**
 * Samples pictures, and yields after every step of the sampler.
 * @param mostFrames the most frames in `before`; a long run skips steps
 * @param shown the number of pictures in each frame of `before`; default: all
 * @throws as `sampleDiffusion`
 */
export function* growingSamples(
  model: DiffusionPipeline,
  options: SampleOptions,
  mostFrames: number,
  shown = options.labels.length,
): Generator<PicturesStep, GrowingSamples> {
  const { sizes } = model.network;
  const { labels, captions } = options;
  const more = { ...(captions && { captions }), ...givenOf(options) };
  const size = pictureSize(sizes);
  const before: Float64Array[] = [];
  const run = sampleDiffusion(model, options);
  try {
    for (;;) {
      const { done, value } = run.next();
      if (done) return { before, last: { ...pictureSizeOf(sizes), labels, pictures: value, ...more } };
      const { round, part } = value;
      const { first, step, steps } = part;
      const every = Math.ceil(steps / mostFrames);
      if (round === 0 && step < steps && step % every === 0 && first < shown) {
        // Pictures are sampled in parts. Each part fills its own places in the same frames.
        const frame = step / every - 1;
        before[frame] ??= new Float64Array(Math.min(shown, labels.length) * size);
        before[frame].set(value.pictures().subarray(0, (shown - first) * size), first * size);
      }
      yield value;
    }
  } finally {
    run.return(undefined as never); // frees the run's memory if the caller stopped
  }
}
