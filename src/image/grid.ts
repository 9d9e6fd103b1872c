/**
 * Grids of small pictures, drawn as one larger picture. For example, they show a model's inputs and outputs side
 * by side.
 *
 * A cell is `height x width` values, row after row: floats from 0 (black) to 1 (white), clamped, or bytes. With three
 * channels each pixel has three values. Cells are enlarged by a whole factor, and each pixel becomes a sharp square. Rows
 * and columns may have labels, and the grid may have a title. The same input gives the same bytes. Left out on purpose:
 * cells of different sizes.
 */
import { ShapeError, ValueError } from '../errors.ts';
import { withDefaults } from '../options.ts';
import { toByte } from './bytes.ts';
import { drawText, LINE_HEIGHT, MIDDLE, textWidth } from './font.ts';
import type { Picture } from './png.ts';

/** `height x width x channels` values. They are floats from 0 (black) to 1 (white), clamped. A `Uint8Array` holds bytes. */
export type Cell = Float32Array | Float64Array | Uint8Array | Uint8ClampedArray | readonly number[];

/** Options of `pictureGrid`. */
export interface PictureGridOptions {
  /** Size of a cell in its own pixels. */
  readonly height: number;
  /** Width of a cell in its own pixels. */
  readonly width: number;
  /** Values of a pixel: 1 for grey, 3 for RGB. Default 1. */
  readonly channels?: number | undefined;
  /** The factor by which cells are enlarged: a whole number. Default: about 84 pixels a cell, at least 1. */
  readonly scale?: number;
  /** Pixels between cells. Default 2. */
  readonly gutter?: number;
  /** Pixels around everything. Default 12. */
  readonly margin?: number;
  /** One text for each row, at its left. */
  readonly rowLabels?: readonly string[];
  /** One text for each column, above it. Columns move apart if a text needs the room. */
  readonly columnLabels?: readonly string[];
  /** A text above everything. */
  readonly title?: string;
  /** One text for each cell, below it, row after row. Columns move apart if a text needs the room. */
  readonly captions?: readonly (readonly string[])[];
  /** Default `light`. */
  readonly theme?: 'light' | 'dark';
}

/** Options of `pictureGridFromBatch`. */
export interface BatchGridOptions extends PictureGridOptions {
  /** How many pictures `data` holds. Default: as many as fit. */
  readonly count?: number;
  /** Cells in each row. Default: the square root of `count`, rounded up. */
  readonly columns?: number;
}

const THEMES = {
  light: { background: 255, ink: 38 },
  dark: { background: 34, ink: 222 },
};
/** Pixels between a label and its row or column. */
const LABEL_GAP = 6;
/** Pixels between a cell and its caption. */
const CAPTION_GAP = 2;

/**
 * Draws rows of cells. A row may be shorter than the others.
 * @throws {ShapeError} for a cell of another size, or if the number of labels is not the number of rows or columns.
 * @throws {ValueError} for no cell at all, NaN or infinity in a cell, or a fractional factor.
 */
export function pictureGrid(rows: readonly (readonly Cell[])[], options: PictureGridOptions): Picture {
  const full = withDefaults('grid', options, defaultsFor(options));
  check(rows, full);
  if (full.channels === 1) return greyGrid(rows, full);
  // Each colour is a grid of its own. The labels are the same in all three, so they are grey.
  const planes = [0, 1, 2].map((c) =>
    greyGrid(
      rows.map((row) => row.map((cell) => planeOf(cell, c))),
      full,
    ),
  );
  const [{ width, height }] = planes;
  const pixels = new Uint8Array(3 * width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = planes[i % 3].pixels[Math.floor(i / 3)];
  return { width, height, channels: 3, pixels };
}

/** One of the three colours of a cell. */
const planeOf = (cell: Cell, channel: number): Cell =>
  (cell as Float64Array).filter((_, i) => i % 3 === channel);

function greyGrid(rows: readonly (readonly Cell[])[], full: Required<PictureGridOptions>): Picture {
  const { background, ink } = THEMES[full.theme];
  const { left, top, pitchX, pitchY, width, height } = layOut(rows, full);
  const pixels = new Uint8Array(width * height).fill(background);
  const cellWidth = full.width * full.scale;
  const cellHeight = full.height * full.scale;

  drawText(pixels, width, full.title, left, full.margin, ink);
  full.columnLabels.forEach((label, column) => {
    const middle = left + column * pitchX + cellWidth / 2;
    const labelTop = top - LINE_HEIGHT - LABEL_GAP / 2;
    drawText(pixels, width, label, Math.round(middle - textWidth(label) / 2), labelTop, ink);
  });
  rows.forEach((row, r) => {
    const y = top + r * pitchY;
    const label = full.rowLabels[r] ?? '';
    const labelTop = Math.round(y + cellHeight / 2 - MIDDLE);
    drawText(pixels, width, label, left - LABEL_GAP - textWidth(label), labelTop, ink);
    row.forEach((cell, column) => {
      const x = left + column * pitchX;
      drawCell(pixels, width, cell, x, y, full, `row ${r}, column ${column}`);
      const caption = full.captions[r]?.[column] ?? '';
      const middle = x + cellWidth / 2;
      const captionTop = y + cellHeight + CAPTION_GAP;
      drawText(pixels, width, caption, Math.round(middle - textWidth(caption) / 2), captionTop, ink);
    });
  });
  return { width, height, channels: 1, pixels };
}

/** The defaults of a grid whose cells have that size. */
const defaultsFor = ({ height, width }: PictureGridOptions) => ({
  height: undefined,
  width: undefined,
  channels: 1,
  scale: Math.max(1, Math.round(84 / Math.max(height, width))),
  gutter: 2,
  margin: 12,
  rowLabels: [],
  columnLabels: [],
  title: '',
  captions: [],
  theme: 'light' as const,
});

/** The place of the first cell, the steps from cell to cell, and the size of the whole picture, all in pixels. */
function layOut(rows: readonly (readonly Cell[])[], options: Required<PictureGridOptions>) {
  const { gutter, margin, rowLabels, columnLabels, captions, title, scale } = options;
  const [cellWidth, cellHeight] = [options.width * scale, options.height * scale];
  const columns = widest(rows);
  const textRows = [...(columnLabels.length > 0 ? [columnLabels] : []), ...captions];
  const labelWidths = Array.from({ length: textRows.length > 0 ? columns : 0 }, (_, column) =>
    Math.max(...textRows.map((row) => textWidth(row[column] ?? ''))),
  );
  // Labels are centred over their columns. Neighbours must not touch, and the outer labels must not be cut.
  const pitchX = labelWidths.reduce((pitch, w, i) => {
    return i === 0 ? pitch : Math.max(pitch, Math.ceil((labelWidths[i - 1] + w) / 2) + 2 * LABEL_GAP);
  }, cellWidth + gutter);
  const reach = labelWidths.map((w) => Math.ceil((w - cellWidth) / 2));
  const before = Math.max(0, ...reach.map((r, i) => r - i * pitchX));
  const after = Math.max(0, ...reach.map((r, i) => r - (columns - 1 - i) * pitchX));

  const rowLabelWidth = Math.max(0, ...rowLabels.map((label) => textWidth(label)));
  const left = margin + Math.max(before, rowLabelWidth > 0 ? rowLabelWidth + LABEL_GAP : 0);
  const right = left + Math.max((columns - 1) * pitchX + cellWidth + after, textWidth(title));
  const captionHeight = captions.length > 0 ? CAPTION_GAP + LINE_HEIGHT : 0;
  const pitchY = Math.max(cellHeight + captionHeight, rowLabels.length > 0 ? LINE_HEIGHT : 0) + gutter;
  const titleHeight = title === '' ? 0 : LINE_HEIGHT + LABEL_GAP;
  const top = margin + titleHeight + (columnLabels.length > 0 ? LINE_HEIGHT + LABEL_GAP / 2 : 0);
  const bottom = top + (rows.length - 1) * pitchY + cellHeight + captionHeight;
  return { left, top, pitchX, pitchY, width: right + margin, height: bottom + margin };
}

function widest(rows: readonly (readonly Cell[])[]): number {
  return rows.reduce((most, row) => Math.max(most, row.length), 0);
}

/**
 * Draws a batch of `count x height x width x channels` values. The pictures fill the grid row by row.
 * @throws as `pictureGrid`, and {ShapeError} if `data` holds fewer than `count` pictures.
 */
export function pictureGridFromBatch(data: Cell, options: BatchGridOptions): Picture {
  withDefaults('grid', options, { ...defaultsFor(options), count: undefined, columns: undefined });
  const { count, columns: wanted, ...rest } = options;
  const { height, width, channels } = options;
  const size = { height, width, channels };
  const cells = cellsOf(data, count === undefined ? size : { count, ...size });
  const columns = wanted ?? Math.ceil(Math.sqrt(cells.length));
  if (!Number.isInteger(columns) || columns < 1) {
    throw new ValueError(`grid: expected at least 1 column, got ${columns}`);
  }
  const rows: Cell[][] = [];
  for (let i = 0; i < cells.length; i += columns) rows.push(cells.slice(i, i + columns));
  return pictureGrid(rows, rest);
}

/**
 * Cuts a batch of `count x height x width x channels` values into its cells. There is one channel by default. It does not copy if the type allows that.
 * @throws {ShapeError} if `data` holds fewer than `count` pictures, or a part of one.
 */
export function cellsOf(
  data: Cell,
  options: { count?: number; height: number; width: number; channels?: number | undefined },
): Cell[] {
  const { height, width, channels = 1 } = options;
  const size = height * width * channels;
  const { count } = withDefaults('cells', options, {
    height: undefined,
    width: undefined,
    channels: 1,
    count: data.length / size,
  });
  if (!Number.isInteger(count) || count * size > data.length) {
    const wanted = `${options.count ?? 'a whole number of'} pictures of ${sizeText(options)}`;
    throw new ShapeError(`grid: expected ${wanted}, got ${data.length} values`);
  }
  return Array.from({ length: count }, (_, i) =>
    Array.isArray(data)
      ? data.slice(i * size, (i + 1) * size)
      : (data as Float32Array).subarray(i * size, (i + 1) * size),
  );
}

/** `28x28`, or `28x28x3` with three channels. */
const sizeText = ({ height, width, channels = 1 }: PictureGridOptions) =>
  `${height}x${width}${channels === 1 ? '' : `x${channels}`}`;

function check(rows: readonly (readonly Cell[])[], options: Required<PictureGridOptions>): void {
  const { height, width, channels = 1, scale, gutter, margin, rowLabels, columnLabels, theme } = options;
  if (channels !== 1 && channels !== 3) {
    throw new ValueError(`grid: expected 1 or 3 channels, got ${channels}`);
  }
  const columns = widest(rows);
  if (columns === 0) throw new ValueError('grid: expected at least one picture, got none');
  if (!Object.hasOwn(THEMES, theme)) {
    throw new ValueError(`grid: expected the theme "light" or "dark", got "${theme}"`);
  }
  for (const [name, value, least] of [
    ['height', height, 1],
    ['width', width, 1],
    ['scale', scale, 1],
    ['gutter', gutter, 0],
    ['margin', margin, 0],
  ] as const) {
    if (!Number.isInteger(value) || value < least) {
      throw new ValueError(`grid: expected a whole ${name} of at least ${least}, got ${value}`);
    }
  }
  if (rowLabels.length > 0 && rowLabels.length !== rows.length) {
    throw new ShapeError(`grid: expected ${rows.length} row labels, got ${rowLabels.length}`);
  }
  if (columnLabels.length > 0 && columnLabels.length !== columns) {
    throw new ShapeError(`grid: expected ${columns} column labels, got ${columnLabels.length}`);
  }
  for (const [r, row] of rows.entries()) {
    for (const [column, cell] of row.entries()) {
      if (cell.length !== height * width * channels) {
        const place = `in row ${r}, column ${column}`;
        throw new ShapeError(`grid: expected ${sizeText(options)} values ${place}, got ${cell.length}`);
      }
    }
  }
}

/** Writes each value of `cell` as a square of `scale` pixels; `x`, `y` is the upper left corner. */
function drawCell(
  pixels: Uint8Array,
  stride: number,
  cell: Cell,
  x: number,
  y: number,
  { width, scale }: Required<PictureGridOptions>,
  place: string,
): void {
  const bytes = cell instanceof Uint8Array || cell instanceof Uint8ClampedArray;
  for (let i = 0; i < cell.length; i++) {
    const value = cell[i];
    if (!Number.isFinite(value))
      throw new ValueError(`grid: expected finite values, got ${value} in ${place}`);
    const grey = bytes ? value : toByte(value);
    const at = (y + Math.floor(i / width) * scale) * stride + x + (i % width) * scale;
    for (let row = 0; row < scale; row++) {
      pixels.fill(grey, at + row * stride, at + row * stride + scale);
    }
  }
}
