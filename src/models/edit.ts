/**
 * Pictures from a given one: SDEdit and RePaint on a trained diffusion network.
 *
 *     SDEdit   the picture gets the noise of a share of the schedule's time, its `strength`, and is sampled from there
 *     RePaint  where a mask is not 0 the picture is made new; every other pixel stays as it is
 *
 * Strength 0 gives the picture itself. Strength 1 begins with noise alone: the little that a schedule's last level has of
 * the picture is left out, and the result is that of sampling without a picture, to the bit.
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

/** A picture that is given, and what becomes of it. */
export interface Edit {
  /** [height·width·channels], 0 to 1. */
  readonly picture: ArrayLike<number>;
  /** The share of the schedule's time, 0 to 1, whose noise the picture gets. Default 0.5, and 1 with a mask. */
  readonly strength?: number | undefined;
  /** [height·width]: 0 where a pixel stays as it is, another number where it is made new. Default none. */
  readonly mask?: ArrayLike<number> | undefined;
  /** With a mask: how often each step of the sampler is made. Default 10. */
  readonly resamples?: number | undefined;
}

/** An edit with its defaults. */
export type CheckedEdit = { readonly [K in Exclude<keyof Edit, 'mask'>]-?: NonNullable<Edit[K]> } & Pick<
  Edit,
  'mask'
>;

/**
 * @throws ShapeError for a picture or a mask of another size; ValueError for NaN or what lies beyond 0 and 1, a mask that
 * makes nothing new, and a strength or resamples that there cannot be
 */
export function checkEdit(edit: Edit, shape: PictureShape): CheckedEdit {
  const { resamples: otherwise } = defaultsOf(SAMPLE_TABLE);
  const { picture, strength, mask, resamples } = withDefaults('edit', edit, {
    picture: undefined,
    strength: edit.mask ? 1 : STRENGTH,
    mask: undefined,
    resamples: otherwise,
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
      throw new ShapeError(`edit: expected a mask of ${pixels} numbers, one a pixel, got ${mask.length}`);
    }
    if (!Array.from(mask).some((value) => value !== 0)) {
      throw new ValueError('edit: expected a mask with a pixel to be made new, got none');
    }
  }
  checkNumber('edit: strength', strength, 0, 1);
  checkWhole('edit: resamples', resamples, 1);
  return { picture, strength, mask, resamples };
}

/** A given picture as samplers take it. Its tensors lie on the heap until `dispose`. */
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

  /** The sampler of that name that begins with the picture. */
  sampler(name: SamplerName, options: SamplerOptions): Sampler {
    const { strength, resamples } = this.edit;
    const given = { ...options, strength };
    if (!this.mask) return createSampler(name, given);
    return repaint(name, given, { known: this.x0, mask: this.mask, resamples });
  }

  /** Adds the picture to the noise that sampling begins with, [batch, height, width, channels], in place. */
  begin(noise: Tensor, sampler: Sampler): void {
    if (this.edit.strength === 1) return;
    const { schedule } = this.model;
    const [{ alpha, sigma }] = sampler.levels(schedule);
    scope(() => noise.copyFrom(noise.mul(sigma / schedule.priorStd).add(this.x0.mul(alpha))));
  }

  /** Puts the known pixels into pictures [n, height, width, channels], in place. */
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
