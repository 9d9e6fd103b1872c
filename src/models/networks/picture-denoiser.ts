/** The base class of denoisers: from noisy pictures [b, h, w, c] to denoised ones of the same shape, in (0, 1). */
import type { PictureShape } from '../../data/dataset.ts';
import { Layer } from '../../nn/module.ts';

/** A network that removes the noise from pictures. */
export abstract class PictureDenoiser extends Layer {
  /** The kind of this denoiser in a checkpoint. */
  abstract readonly kind: string;
  /** The sizes with which the constructor can create this network again. */
  abstract readonly sizes: object;

  /** A short text on the architecture, such as `784-400-400-400-784`. */
  abstract get description(): string;
  /** The size of its pictures as text: `28x28`. */
  abstract get takes(): string;

  /** Whether pictures have a size that the network accepts. */
  abstract fits(pictures: PictureShape): boolean;
}
