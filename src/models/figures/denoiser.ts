/**
 * Figures of a trained denoiser: its output for noisy test digits, and its output for pure noise. The noise is as
 * strong as in training, and comes from streams of the seed.
 */
import { type Dataset, type PictureShape, pictureSize } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import { Rng } from '../../random/rng.ts';
import type { PictureDenoiser } from '../networks/picture-denoiser.ts';
import { addNoise, type DenoiserSettings } from '../training/denoiser.ts';
import { type PictureRows, pictureRows } from './picture-rows.ts';

/** The most pictures in a row. */
const COLUMNS = 10;

/** The settings of the noise. */
export type DenoiserNoise = Pick<DenoiserSettings, 'noise' | 'seed'>;

const pictureRng = ({ seed }: DenoiserNoise) => new Rng(seed).stream('pictures');

/** Indices of one picture per class if there are ten classes, else of the first ten pictures. */
function choose({ labels, length }: Dataset): number[] {
  const firsts = [...new Set(labels)].map((label) => labels.indexOf(label));
  if (firsts.length >= COLUMNS) return firsts.sort((a, b) => labels[a] - labels[b]).slice(0, COLUMNS);
  return Array.from({ length: Math.min(COLUMNS, length) }, (_, i) => i);
}

/** A data set of the pictures at `indices`. */
function select(dataset: Dataset, indices: readonly number[]): Dataset {
  const size = pictureSize(dataset);
  const images = new Uint8Array(indices.length * size);
  for (const [to, from] of indices.entries()) {
    images.set(dataset.images.subarray(from * size, (from + 1) * size), to * size);
  }
  const labels = Uint8Array.from(indices, (i) => dataset.labels[i]);
  return { ...dataset, length: indices.length, images, labels };
}

/** Test pictures, the same pictures with noise, and the model's outputs. */
export function denoisedFigure(model: PictureDenoiser, test: Dataset, settings: DenoiserNoise): PictureRows {
  return pictureRows(test, ['original', 'noisy', 'denoised'], () => {
    const chosen = select(test, choose(test));
    const original = new DataLoader(chosen, { batchSize: chosen.length }).next().images;
    const noisy = addNoise(original, settings.noise, pictureRng(settings).stream('digits'));
    return [original, noisy, model.forward(noisy)];
  });
}

/** Pure noise, and the model's output after each of several passes. The input of a pass is the output before it. */
export function pureNoiseFigure(
  model: PictureDenoiser,
  shape: PictureShape,
  settings: DenoiserNoise,
  passes: number,
): PictureRows {
  const numbered = Array.from({ length: passes }, (_, pass) => `pass ${pass + 1}`);
  return pictureRows(shape, ['noise', ...(passes === 1 ? ['denoised'] : numbered)], () => {
    const { height, width, channels } = shape;
    const noise = pictureRng(settings).stream('pure noise').normal([COLUMNS, height, width, channels]);
    const rows = [noise.mul(settings.noise)];
    while (rows.length <= passes) rows.push(model.forward(rows[rows.length - 1]));
    return rows;
  });
}
