/**
 * The lecture's denoising autoencoder: [b, inputs] -> [b, inputs], a picture with noise to the picture without.
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
import {
  type Checkpoint,
  loadCheckpoint,
  requireKind,
  restoreParameters,
} from '../../checkpoint/checkpoint.ts';
import { FormatError, ValueError } from '../../errors.ts';
import { ReLU, Sigmoid } from '../../nn/activation.ts';
import { Linear } from '../../nn/linear.ts';
import { Module } from '../../nn/module.ts';
import { Sequential } from '../../nn/sequential.ts';
import { Rng, sharedRng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';

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

export class Denoiser extends Module {
  /** What a checkpoint calls this model. */
  static readonly kind = 'denoiser';
  readonly sizes: DenoiserSizes;
  readonly encoder: Sequential;
  readonly decoder: Sequential;

  /** @throws ValueError for sizes that are no whole numbers >= 1 */
  constructor({ rng = sharedRng(), ...sizes }: DenoiserOptions = {}) {
    super();
    this.sizes = { ...DENOISER_SIZES, ...sizes };
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

  /** The pictures that the model sees in `x`, [b, inputs], each value in (0, 1). */
  override forward(x: Tensor): Tensor {
    return this.decoder.forward(this.encoder.forward(x));
  }
}

/** The denoiser in a file that was read. @throws FormatError for a file of anything else */
export function denoiserOf(checkpoint: Checkpoint): Denoiser {
  requireKind(checkpoint, Denoiser.kind);
  const { sizes, source } = checkpoint;
  const { inputs, hidden, code } = sizes;
  if (!inputs || !hidden || !code) {
    const got = Object.keys(sizes).join(', ') || 'none';
    throw new FormatError(`${source}: expected the sizes inputs, hidden and code of a denoiser, got ${got}`);
  }
  // Its own generator: to load a model is no reason for other random numbers afterwards.
  const model = new Denoiser({ inputs, hidden, code, rng: new Rng(0) });
  restoreParameters(model, checkpoint);
  return model;
}

/**
 * The denoiser in a file that `saveCheckpoint` or `langevin train denoiser` wrote.
 * @throws FileError for a file that cannot be read, FormatError for one that holds no denoiser
 */
export async function loadDenoiser(path: string): Promise<Denoiser> {
  return denoiserOf(await loadCheckpoint(path));
}
