/**
 * Edits a picture with a trained diffusion network, by SDEdit or RePaint.
 *
 *     SDEdit   Adds noise to the picture, and samples from there. `strength` is the start time as a fraction of the
 *              schedule's time.
 *     RePaint  Samples new pixels where a mask is not 0. All other pixels do not change.
 *
 * Strength 0 gives the picture itself. Strength 1 starts from pure noise. The last level of a schedule can have a small
 * part of the data, but strength 1 does not add it. So the result has the same bits as sampling without a picture.
 *
 * Sources: Meng, He, Song, Song, Wu, Zhu and Ermon, "SDEdit: guided image synthesis and editing with stochastic
 * differential equations" (2022); Lugmayr et al., "RePaint" (2022), in diffusion/repaint.ts.
 */
import { scope } from '../autograd/tape.ts';
import { type PictureShape, pictureName, pictureSize } from '../data/dataset.ts';
import { checkNumber, checkWhole } from '../diffusion/check.ts';
import { repaint } from '../diffusion/repaint.ts';
import {
  createSampler,
  type Sampler,
  type SamplerName,
  type SamplerOptions,
} from '../diffusion/samplers/index.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DiffusionPipeline } from './pipeline.ts';
import { defaultsOf } from './setting.ts';
import { SAMPLE_TABLE, STRENGTH } from './settings.ts';

/** A picture, and the options of its edit. */
export interface Edit {
  /** The picture, [height·width·channels], in [0, 1]. */
  readonly picture: ArrayLike<number>;
  /** The start time as a fraction of the schedule's time, 0 to 1. Default 0.5 without a mask, 1 with a mask. */
  readonly strength?: number | undefined;
  /** `[height·width]`: 0 for a pixel that does not change, another number for a new pixel. Default: no mask. */
  readonly mask?: ArrayLike<number> | undefined;
  /** With a mask: the number of times that RePaint does each step of the sampler. Default 10. */
  readonly resamples?: number | undefined;
}

/** An edit with all options. */
export type CheckedEdit = { readonly [K in Exclude<keyof Edit, 'mask'>]-?: NonNullable<Edit[K]> } & Pick<
  Edit,
  'mask'
>;

/**
 * Fills in the defaults of an edit, and checks it.
 * @throws ShapeError for a picture or a mask that does not have the size `shape`
 * @throws ValueError for a pixel that is not in [0, 1], a mask that is 0 everywhere, a strength outside [0, 1], or
 *   resamples that are not a whole number >= 1
 */
export function checkEdit(edit: Edit, shape: PictureShape): CheckedEdit {
  const { resamples: defaultResamples } = defaultsOf(SAMPLE_TABLE);
  const { picture, strength, mask, resamples } = withDefaults('edit', edit, {
    picture: undefined,
    strength: edit.mask ? 1 : STRENGTH,
    mask: undefined,
    resamples: defaultResamples,
  });
  const size = pictureSize(shape);
  if (picture.length !== size) {
    throw new ShapeError(
      `edit: expected a picture of ${pictureName(shape)}, ${size} numbers, got ${picture.length}`,
    );
  }
  const wrong = Array.from(picture).find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw new ValueError(`edit: expected pixels from 0 to 1, got ${wrong}`);
  if (mask) {
    const pixels = shape.height * shape.width;
    if (mask.length !== pixels) {
      throw new ShapeError(`edit: expected a mask of ${pixels} numbers, one per pixel, got ${mask.length}`);
    }
    if (!Array.from(mask).some((value) => value !== 0)) {
      throw new ValueError('edit: expected a mask with a number other than 0, got only 0');
    }
  }
  checkNumber('edit: strength', strength, 0, 1);
  checkWhole('edit: resamples', resamples, 1);
  return { picture, strength, mask, resamples };
}

/** A picture to edit, as tensors for a sampler. They are on the heap: free them with `dispose()`. */
export class GivenPicture {
  private readonly x0: Tensor;
  private readonly mask: Tensor | null;

  constructor(
    private readonly model: DiffusionPipeline,
    private readonly edit: CheckedEdit,
  ) {
    const { height, width, channels } = model.network.sizes;
    const { picture, mask } = edit;
    this.x0 = scope(() =>
      model.encode(tensor(Float64Array.from(picture), [1, height, width, channels])).keep(),
    );
    this.mask = mask ? scope(() => tensor(Float64Array.from(mask), [1, height, width, 1]).keep()) : null;
  }

  /** The sampler of that name for this edit. */
  sampler(name: SamplerName, options: SamplerOptions): Sampler {
    const { strength, resamples } = this.edit;
    const given = { ...options, strength };
    if (!this.mask) return createSampler(name, given);
    return repaint(name, given, { known: this.x0, mask: this.mask, resamples });
  }

  /**
   * Changes noise [batch, height, width, channels] to the start of sampling, in place: alpha·picture + sigma·noise at
   * the sampler's first level.
   */
  begin(noise: Tensor, sampler: Sampler): void {
    if (this.edit.strength === 1) return;
    const { schedule } = this.model;
    const [{ alpha, sigma }] = sampler.levels(schedule);
    scope(() => noise.copyFrom(noise.mul(sigma / schedule.priorStd).add(this.x0.mul(alpha))));
  }

  /** Copies the pixels where the mask is 0 into pictures [n, height, width, channels], in place. */
  restore(pictures: Float64Array): void {
    const { picture, mask } = this.edit;
    if (!mask) return;
    const channels = picture.length / mask.length;
    for (let i = 0; i < pictures.length; i++) {
      const at = i % picture.length;
      if (mask[Math.floor(at / channels)] === 0) pictures[i] = picture[at];
    }
  }

  dispose(): void {
    this.x0.dispose();
    this.mask?.dispose();
  }
}
