/**
 * Figures as files. A figure is computed, hashed and drawn when its file is written. The end event of a run has the
 * hashes. Equal hashes show that two runs, or a run and a page, have the same numbers.
 */
import { cellsOf, pictureGrid } from '../../image/grid.ts';
import { encodePng } from '../../image/png.ts';
import { type AttentionFigure, mostAttention } from '../../models/figures/attention-figure.ts';
import type { MistakesFigure } from '../../models/figures/mistakes.ts';
import { numbersHash } from '../../models/figures/numbers-hash.ts';
import type { PictureRows } from '../../models/figures/picture-rows.ts';
import type { Sheet } from '../../models/figures/sheet.ts';
import type { Content } from './out-folder.ts';

/** Collects the SHA-256 of the numbers of each figure, by the name of its file. */
export class FigureHashes {
  readonly numbers: Record<string, string> = {};

  /** The content of the file `name`. It computes the figure, records its hash, and draws it. */
  content<F extends object>(
    name: string,
    compute: () => F,
    draw: (figure: F) => ReturnType<Content>,
  ): Content {
    return async () => {
      const figure = compute();
      this.numbers[name] = await numbersHash(figure);
      return draw(figure);
    };
  }
}

/**
 * Pictures with the maps of their words as a PNG file. The maps of a row are scaled so that the largest probability is
 * white.
 */
export function drawAttention({ height, width, rows }: AttentionFigure): Uint8Array {
  const cells = rows.map((row) => {
    const most = mostAttention(row);
    return [row.picture, ...row.maps.map((map) => map.map((p) => p / most))];
  });
  const captions = rows.map(({ words }) => ['', ...words]);
  return encodePng(pictureGrid(cells, { height, width, captions, title: 'attention to each word' }));
}

/** Rows of pictures as a PNG file. */
export function drawRows({ height, width, channels, rows }: PictureRows): Uint8Array {
  const size = { height, width, channels };
  return encodePng(
    pictureGrid(
      rows.map(({ pixels }) => cellsOf(pixels, size)),
      { ...size, rowLabels: rows.map(({ label }) => label) },
    ),
  );
}

/** A sheet as a PNG file: rows of pictures with a title, labels and captions. */
export function drawSheet({ height, width, title, columnLabels, rows }: Sheet): Uint8Array {
  const cells = rows.map(({ pixels }) => cellsOf(pixels, { height, width }));
  const [labels, captions] = [rows.map(({ label }) => label), rows.map((row) => row.captions)];
  const rowLabels = labels.some((label) => label !== '') ? labels : [];
  const isPlain = captions.every((row) => row.length === 0);
  return encodePng(
    pictureGrid(cells, { height, width, title, columnLabels, rowLabels, captions: isPlain ? [] : captions }),
  );
}

/** The number of pictures in a row of mistakes. */
const SHEET_COLUMNS = 10;

/** Mistakes as a PNG file. Each picture has its caption below it. */
export function drawMistakes({ height, width, pixels, captions }: MistakesFigure): Uint8Array {
  const cells = cellsOf(pixels, { height, width });
  const inRows = <T>(all: readonly T[]) =>
    Array.from({ length: Math.ceil(all.length / SHEET_COLUMNS) }, (_, row) =>
      all.slice(row * SHEET_COLUMNS, (row + 1) * SHEET_COLUMNS),
    );
  const title = 'label as prediction, the worst first';
  return encodePng(pictureGrid(inRows(cells), { height, width, captions: inRows(captions), title }));
}
