/**
 * What a trained denoiser does, as pictures: what it makes of noisy digits it has not learnt from, and what it
 * sees where there is nothing but noise. Noise is of the strength that the model was trained with, from streams
 * of the seed.
 */
import { noGrad, scope } from '../../autograd/tape.ts';
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import { DataLoader } from '../../data/loader.ts';
import { type Cell, cellsOf, pictureGrid } from '../../image/grid.ts';
import { encodePng } from '../../image/png.ts';
import type { Denoiser } from '../../models/networks/denoiser.ts';
import { addNoise, type DenoiserSettings } from '../../models/training/denoiser.ts';
import { Rng } from '../../random/rng.ts';
import type { Tensor } from '../../tensor/tensor.ts';

const COLUMNS = 10;
const PASSES = 5;

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

/** The denoiser's pictures: each, when it is asked for, as a PNG file. */
export function denoiserPictures(model: Denoiser, test: Dataset, { noise, seed }: DenoiserSettings) {
  const { height, width, channels } = test;
  const rng = () => new Rng(seed).stream('pictures');
  const picture = (rowLabels: string[], rows: () => Tensor[]) => (): Uint8Array =>
    scope(() =>
      noGrad(() => {
        const cells: Cell[][] = rows().map((row) => cellsOf(row.toTypedArray(), { height, width }));
        return encodePng(pictureGrid(cells, { height, width, rowLabels }));
      }),
    );
  const digits = (): Tensor[] => {
    const chosen = select(test, choose(test));
    const loader = new DataLoader(chosen, { batchSize: chosen.length });
    const original = loader.next().images;
    const noisy = addNoise(original, noise, rng().stream('digits'));
    return [original, noisy, model.forward(noisy)];
  };
  const fromNoise = (passes: number): Tensor[] => {
    const rows = [rng().stream('pure noise').normal([COLUMNS, height, width, channels]).mul(noise)];
    while (rows.length <= passes) rows.push(model.forward(rows[rows.length - 1]));
    return rows;
  };
  const passes = Array.from({ length: PASSES }, (_, pass) => `pass ${pass + 1}`);
  return {
    'denoised.png': picture(['original', 'noisy', 'denoised'], digits),
    'pure-noise.png': picture(['noise', 'denoised'], () => fromNoise(1)),
    'pure-noise-5x.png': picture(['noise', ...passes], () => fromNoise(PASSES)),
  };
}
