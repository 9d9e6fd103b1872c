/**
 * The lecture's denoising autoencoder: a picture with noise to the picture without, [b, h, w, c] to the same shape,
 * where inputs = h·w·c. The network sees a picture as a row of numbers.
 *
 *     encoder: Linear(784, 400)  ReLU  Linear(400, 400)  ReLU
 *     decoder: Linear(400, 400)  ReLU  Linear(400, 784)  Sigmoid
 *
 * Parameters have the names that the same two `nn.Sequential` have in PyTorch: `encoder.0.weight` to
 * `decoder.2.bias`; 949,184 numbers at these sizes. The network is trained by training/denoiser.ts.
 *
 * Source: P. Vincent et al., "Extracting and composing robust features with denoising autoencoders" (ICML 2008);
 * here with Gaussian noise and untied weights.
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
  /** Pixels of a picture. */
  readonly inputs: number;
  /** The layers inside the encoder and inside the decoder. */
  readonly hidden: number;
  /** What the encoder hands to the decoder. */
  readonly code: number;
}

/** The lecture's sizes, for pictures of 28x28. */
export const DENOISER_SIZES: DenoiserSizes = { inputs: 784, hidden: 400, code: 400 };

export interface DenoiserOptions extends Partial<DenoiserSizes> {
  /** Where the initial values come from; the shared generator if not given. */
  readonly rng?: Rng;
}

const KIND = 'denoiser';

export class Denoiser extends PictureDenoiser {
  /** What a checkpoint calls this model. */
  static readonly kind = KIND;
  readonly kind = KIND;
  readonly sizes: DenoiserSizes;
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  /** @throws ValueError for sizes that are no whole numbers >= 1 */
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

  /** The pictures that the model sees in `x`, of its shape, each value in (0, 1). @throws ShapeError */
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
  // Its own generator: to load a model is no reason for other random numbers afterwards.
  create: (sizes) => new Denoiser({ ...sizes, rng: new Rng(0) }),
};
