/** Samples of a model above the training pictures that are nearest to them. */
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import type { PictureRows } from './picture-rows.ts';

/** Pictures in a row, at most. */
const COLUMNS = 10;

/**
 * @param pictures samples, [n, pixels], 0 to 1
 * @param neighbours the training picture nearest to each
 */
export function neighboursFigure(
  train: Dataset,
  pictures: Float64Array,
  neighbours: Uint32Array,
): PictureRows {
  const size = pictureSize(train);
  const shown = neighbours.subarray(0, COLUMNS);
  const nearest = new Float64Array(shown.length * size);
  for (const [to, from] of shown.entries()) {
    const picture = train.images.subarray(from * size, (from + 1) * size);
    nearest.set(
      Float64Array.from(picture, (byte) => byte / 255),
      to * size,
    );
  }
  const { height, width } = train;
  const rows = [
    { label: 'model', pixels: pictures.slice(0, shown.length * size) },
    { label: 'nearest', pixels: nearest },
  ];
  return { height, width, rows };
}
