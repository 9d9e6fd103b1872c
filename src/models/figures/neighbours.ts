/** Samples, and below each the nearest training picture. */
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import { type PictureRows, pictureSizeOf } from './picture-rows.ts';

/** The most pictures in a row. */
const COLUMNS = 10;

/**
 * @param pictures samples, [n, pixels], 0 to 1
 * @param neighbours for each sample, the nearest training picture
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
  const rows = [
    { label: 'samples', pixels: pictures.slice(0, shown.length * size) },
    { label: 'nearest', pixels: nearest },
  ];
  return { ...pictureSizeOf(train), rows };
}
