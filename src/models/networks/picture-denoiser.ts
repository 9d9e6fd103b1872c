/** What every denoiser is: a picture with noise to the picture without, [b, h, w, c] to the same shape, in (0, 1). */
import type { PictureShape } from '../../data/dataset.ts';
import { Layer } from '../../nn/module.ts';

/** A network that takes a picture with noise to the picture without. */
export abstract class PictureDenoiser extends Layer {
  /** What a checkpoint calls this kind of denoiser. */
  abstract readonly kind: string;
  /** What the constructor must be given to build this network again. */
  abstract readonly sizes: object;

  /** What it is made of, for people: `784-400-400-400-784`. */
  abstract get description(): string;
  /** Which pictures it takes, in words: `28x28`. */
  abstract get takes(): string;

  /** Whether pictures are of a size that it takes. */
  abstract fits(pictures: PictureShape): boolean;
}
