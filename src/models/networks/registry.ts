/** The tables of networks by the kind that a file states. A new network needs one line in a table. */
import { type Checkpoint, loadCheckpoint } from '../../checkpoint/checkpoint.ts';
import { entryOf, readModel } from '../../checkpoint/model-format.ts';
import { CLASSIFIER_FORMAT } from './classifier.ts';
import { CONV_CLASSIFIER_FORMAT } from './conv-classifier.ts';
import { CONV_DENOISER_FORMAT } from './conv-denoiser.ts';
import { DENOISER_FORMAT } from './denoiser.ts';
import { DIFFUSION_MLP_FORMAT } from './diffusion-mlp.ts';
import type { DiffusionNetwork } from './diffusion-network.ts';
import type { PictureClassifier } from './picture-classifier.ts';
import type { PictureDenoiser } from './picture-denoiser.ts';
import { UNET_FORMAT } from './unet.ts';

/** From a kind to the function that reads its file. */
type Loaders<M> = ReadonlyMap<string, (checkpoint: Checkpoint) => M>;

const DIFFUSION: Loaders<DiffusionNetwork> = new Map<string, (checkpoint: Checkpoint) => DiffusionNetwork>([
  [DIFFUSION_MLP_FORMAT.kind, (checkpoint) => readModel(checkpoint, DIFFUSION_MLP_FORMAT)],
  [UNET_FORMAT.kind, (checkpoint) => readModel(checkpoint, UNET_FORMAT)],
]);

const CLASSIFIERS: Loaders<PictureClassifier> = new Map<
  string,
  (checkpoint: Checkpoint) => PictureClassifier
>([
  [CLASSIFIER_FORMAT.kind, (checkpoint) => readModel(checkpoint, CLASSIFIER_FORMAT)],
  [CONV_CLASSIFIER_FORMAT.kind, (checkpoint) => readModel(checkpoint, CONV_CLASSIFIER_FORMAT)],
]);

const DENOISERS: Loaders<PictureDenoiser> = new Map<string, (checkpoint: Checkpoint) => PictureDenoiser>([
  [DENOISER_FORMAT.kind, (checkpoint) => readModel(checkpoint, DENOISER_FORMAT)],
  [CONV_DENOISER_FORMAT.kind, (checkpoint) => readModel(checkpoint, CONV_DENOISER_FORMAT)],
]);

/** The kinds of networks for diffusion models. */
export const DIFFUSION_KINDS: readonly string[] = [...DIFFUSION.keys()];
/** The kinds of classifiers of clean pictures. */
export const CLASSIFIER_KINDS: readonly string[] = [...CLASSIFIERS.keys()];

/** The kinds of denoisers. */
export const DENOISER_KINDS: readonly string[] = [...DENOISERS.keys()];

/** The network in a file that was read. @throws FormatError for a file of another kind, or one that does not fit */
export function diffusionNetworkOf(checkpoint: Checkpoint): DiffusionNetwork {
  return entryOf(checkpoint, DIFFUSION)(checkpoint);
}

/** The classifier in a file that was read. @throws FormatError for a file of another kind, or one that does not fit */
export function classifierOf(checkpoint: Checkpoint): PictureClassifier {
  return entryOf(checkpoint, CLASSIFIERS)(checkpoint);
}

/** The denoiser in a file that was read. @throws FormatError for a file of another kind, or one that does not fit */
export function denoiserOf(checkpoint: Checkpoint): PictureDenoiser {
  return entryOf(checkpoint, DENOISERS)(checkpoint);
}

/**
 * Reads a denoiser from a file of `saveCheckpoint` or `langevin train denoiser`.
 * @throws FileError for a file that cannot be read
 * @throws FormatError for a file without a denoiser
 */
export async function loadDenoiser(path: string): Promise<PictureDenoiser> {
  return denoiserOf(await loadCheckpoint(path));
}
