/**
 * What a trained denoiser does: what it makes of noisy digits that it has not learnt from, and what it sees where
 * there is nothing but noise. Noise is as strong as in training, from streams of the seed.
 */
import { type Dataset, type PictureShape, pictureSize } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import { Rng } from '../../random/rng.ts';
import type { PictureDenoiser } from '../networks/picture-denoiser.ts';
import { addNoise, type DenoiserSettings } from '../training/denoiser.ts';
import { type PictureRows, pictureRows } from './picture-rows.ts';

/** Pictures in a row, at most. */
const COLUMNS = 10;

/** What the noise follows from. */
export type DenoiserNoise = Pick<DenoiserSettings, 'noise' | 'seed'>;

const pictureRng = ({ seed }: DenoiserNoise) => new Rng(seed).stream('pictures');

/** One picture of each class where there are ten, else the first ten: indices into `dataset`. */
function choose({ labels, length }: Dataset): number[] {
  const firsts = [...new Set(labels)].map((label) => labels.indexOf(label));
  if (firsts.length >= COLUMNS) return firsts.sort((a, b) => labels[a] - labels[b]).slice(0, COLUMNS);
  return Array.from({ length: Math.min(COLUMNS, length) }, (_, i) => i);
}

/** The pictures at `indices` as a data set of their own. */
function select(dataset: Dataset, indices: readonly number[]): Dataset {
  const size = pictureSize(dataset);
  const images = new Uint8Array(indices.length * size);
  for (const [to, from] of indices.entries()) {
    images.set(dataset.images.subarray(from * size, (from + 1) * size), to * size);
  }
  const labels = Uint8Array.from(indices, (i) => dataset.labels[i]);
  return { ...dataset, length: indices.length, images, labels };
}

/** Test pictures, the same with noise, and what the model makes of them. */
export function denoisedFigure(model: PictureDenoiser, test: Dataset, settings: DenoiserNoise): PictureRows {
  return pictureRows(test, ['original', 'noisy', 'denoised'], () => {
    const chosen = select(test, choose(test));
    const original = new DataLoader(chosen, { batchSize: chosen.length }).next().images;
    const noisy = addNoise(original, settings.noise, pictureRng(settings).stream('digits'));
    return [original, noisy, model.forward(noisy)];
  });
}

/** Pure noise, and what the model makes of it in so many passes, each of what the one before it made. */
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
