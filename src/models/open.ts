/** Opens a file with any kind of model. The file names the kind, and the table below has the reader of each kind. */
import { type Checkpoint, loadCheckpoint } from '../checkpoint/checkpoint.ts';
import { entryOf } from '../checkpoint/model-format.ts';
import { type LectureNetwork, lectureOf } from './lecture/lecture.ts';
import { type NoiseClassifier, noiseClassifierOf } from './networks/noise-classifier.ts';
import type { PictureClassifier } from './networks/picture-classifier.ts';
import type { PictureDenoiser } from './networks/picture-denoiser.ts';
import {
  CLASSIFIER_KINDS,
  classifierOf,
  DENOISER_KINDS,
  DIFFUSION_KINDS,
  denoiserOf,
} from './networks/registry.ts';
import { type DiffusionPipeline, diffusionOf } from './pipeline.ts';

/** All models that a file can have. `instanceof` distinguishes them. */
export type AnyModel =
  | PictureDenoiser
  | LectureNetwork
  | PictureClassifier
  | NoiseClassifier
  | DiffusionPipeline;

type Opener = (checkpoint: Checkpoint) => AnyModel;

const OPENERS: ReadonlyMap<string, Opener> = new Map<string, Opener>([
  ...DENOISER_KINDS.map((kind) => [kind, denoiserOf] as const),
  ['lecture', lectureOf],
  ...CLASSIFIER_KINDS.map((kind) => [kind, classifierOf] as const),
  ['noise-classifier', noiseClassifierOf],
  ...DIFFUSION_KINDS.map((kind) => [kind, diffusionOf] as const),
]);

/** The names of the kinds of models in files. */
export const MODEL_KINDS: readonly string[] = [...OPENERS.keys()];

/**
 * The model in a checkpoint, of any kind.
 * @throws FormatError for an unknown kind, or for sizes, settings or tensors that do not fit the kind
 */
export function openModel(checkpoint: Checkpoint): AnyModel {
  return entryOf(checkpoint, OPENERS)(checkpoint);
}

/**
 * Reads the model in a file, of any kind.
 * @throws FileError for a file that cannot be read
 * @throws FormatError as `openModel`
 */
export async function loadModel(path: string): Promise<AnyModel> {
  return openModel(await loadCheckpoint(path));
}
