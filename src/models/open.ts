/**
 * Any model from its file: the file says its kind, and the table below what reads it.
 */
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

/** Whatever a model's file can hold; `instanceof` tells them apart. */
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

/** The kinds of models that files hold. */
export const MODEL_KINDS: readonly string[] = [...OPENERS.keys()];

/**
 * The model in a file that was read, of whatever kind.
 * @throws FormatError for a kind that there is not, or a file whose sizes, settings or tensors do not fit
 */
export function openModel(checkpoint: Checkpoint): AnyModel {
  return entryOf(checkpoint, OPENERS)(checkpoint);
}

/** The model in a file, of whatever kind. @throws FileError for a file that cannot be read; as `openModel` */
export async function loadModel(path: string): Promise<AnyModel> {
  return openModel(await loadCheckpoint(path));
}
