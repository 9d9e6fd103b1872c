/**
 * The lecture's denoising autoencoder: from a noisy picture [b, h, w, c] to the picture without noise, of the same
 * shape. Inside, a picture is a row of inputs = h·w·c numbers.
 *
 *     encoder: Linear(784, 400)  ReLU  Linear(400, 400)  ReLU
 *     decoder: Linear(400, 400)  ReLU  Linear(400, 784)  Sigmoid
 *
 * Parameters have the same names as two `nn.Sequential` in PyTorch: `encoder.0.weight` to `decoder.2.bias`. With these
 * sizes there are 949,184 parameters. The network is trained by training/denoiser.ts.
 *
 * Source: P. Vincent et al., "Extracting and composing robust features with denoising autoencoders" (ICML 2008). Here
 * the noise is Gaussian, and the weights are not tied.
 */
import { whole } from '../../checkpoint/fields.ts';
import type { ModelFormat } from '../../checkpoint/model-format.ts';
import { type PictureShape, pictureSize } from '../../data/dataset.ts';
import { ValueError } from '../../errors.ts';
import { ReLU, Sigmoid } from '../../nn/activation.ts';
import { Flatten } from '../../nn/flatten.ts';
import { Linear } from '../../nn/linear.ts';
import { Sequential } from '../../nn/sequential.ts';
import { withDefaults } from '../../options.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { MOST_INPUTS, WIDTH_FIELD } from './limits.ts';
import { PictureDenoiser } from './picture-denoiser.ts';

/** The widths of the denoiser's layers, each 1 or more. */
export interface DenoiserSizes {
  /** The number of values of a picture. */
  readonly inputs: number;
  /** The width of the hidden layers of encoder and decoder. */
  readonly hidden: number;
  /** The width of the encoder's output. */
  readonly code: number;
}

/** The lecture's sizes, for pictures of 28x28. */
export const DENOISER_SIZES: DenoiserSizes = { inputs: 784, hidden: 400, code: 400 };

/** Options of `Denoiser`. */
export interface DenoiserOptions extends Partial<DenoiserSizes> {
  /** The generator of the initial values. Default: the shared generator. */
  readonly rng?: Rng;
}

const KIND = 'denoiser';

/** The lecture's denoiser: an MLP from noisy pictures to clean ones. `encoder` and `decoder` are its two halves. */
export class Denoiser extends PictureDenoiser {
  /** The kind of this model in a checkpoint. */
  static readonly kind = KIND;
  readonly kind = KIND;
  readonly sizes: DenoiserSizes;
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  /** @throws ValueError for sizes that are not whole numbers >= 1 */
  constructor(options: DenoiserOptions = {}) {
    super();
    const { rng, ...sizes } = withDefaults('denoiser', options, { ...DENOISER_SIZES, rng: sharedRng() });
    this.sizes = sizes;
    const { inputs, hidden, code } = this.sizes;
    for (const [name, size] of Object.entries(this.sizes)) {
      if (!Number.isInteger(size) || size < 1) {
        throw new ValueError(`denoiser: expected ${name} to be a whole number >= 1, got ${size}`);
      }
    }
    const dense = (from: number, to: number) => new Linear(from, to, { rng });
    this.encoder = new Sequential(dense(inputs, hidden), new ReLU(), dense(hidden, code), new ReLU());
    this.decoder = new Sequential(dense(code, hidden), new ReLU(), dense(hidden, inputs), new Sigmoid());
  }

  get description(): string {
    const { inputs, hidden, code } = this.sizes;
    return [inputs, hidden, code, hidden, inputs].join('-');
  }

  get takes(): string {
    return `${this.sizes.inputs} pixels`;
  }

  override fits(pictures: PictureShape): boolean {
    return pictureSize(pictures) === this.sizes.inputs;
  }

  /** The denoised pictures, of x's shape, with values in (0, 1). @throws ShapeError for another shape of x */
  override forward(x: Tensor): Tensor {
    return this.decoder.forward(this.encoder.forward(new Flatten().forward(x))).reshape(x.shape);
  }
}

export const DENOISER_FORMAT: ModelFormat<Denoiser, DenoiserSizes> = {
  kind: Denoiser.kind,
  sizes: { inputs: whole(1, MOST_INPUTS), hidden: WIDTH_FIELD, code: WIDTH_FIELD },
  shapes: ({ inputs, hidden, code }) => [
    ['encoder.0.weight', [hidden, inputs]],
    ['encoder.2.weight', [code, hidden]],
    ['decoder.0.weight', [hidden, code]],
    ['decoder.2.weight', [inputs, hidden]],
  ],
  // A generator of its own: loading a model must not advance the shared generator.
  create: (sizes) => new Denoiser({ ...sizes, rng: new Rng(0) }),
};
