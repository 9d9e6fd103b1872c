/**
 * Draws samples of captions as one picture. The pictures of each caption are in rows of ten, with the caption at the left
 * of the first row. With a single caption the rows form a square, and the caption is the title.
 */
import { type Cell, cellsOf, pictureGrid } from '../image/grid.ts';
import type { Picture } from '../image/png.ts';
import type { Samples } from './sample-grid.ts';

const COLUMNS = 10;
/** The text for pictures without a caption. */
const NONE = 'no caption';

/** Draws the grid. The input of an edit is in a row above the samples. @param scale the factor of each pixel */
export function captionGrid(samples: Samples, scale: number): Picture {
  const { height, width, pictures, given } = samples;
  const captions = (samples.captions ?? []).map((caption) => caption ?? NONE);
  const cells = cellsOf(pictures, { height, width });
  const distinct = [...new Set(captions)];
  const single = distinct.length === 1;
  const columns = single ? Math.min(COLUMNS, Math.ceil(Math.sqrt(cells.length))) : COLUMNS;
  const rows: (readonly Cell[])[] = [];
  const rowLabels: string[] = [];
  if (given) {
    rows.push([given.picture, ...(given.mask ? [given.mask.map((value) => 0.75 * value)] : [])]);
    rowLabels.push(given.mask ? 'given, mask' : 'given');
  }
  for (const caption of distinct) {
    const own = cells.filter((_, i) => captions[i] === caption);
    for (let from = 0; from < own.length; from += columns) {
      rows.push(own.slice(from, from + columns));
      rowLabels.push(from === 0 && !single ? caption : '');
    }
  }
  return pictureGrid(rows, { height, width, scale, title: single ? distinct[0] : '', rowLabels });
}
