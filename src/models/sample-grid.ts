/**
 * Draws samples of a diffusion model as one picture, a grid. The position of the labels depends on the labels:
 *
 *     in the title         if all pictures have the same label
 *     above the columns    otherwise, if every column has one label
 *     beside the rows      otherwise, if every row has one label
 *     in the title         otherwise, for at most 12 labels
 *     below each picture   otherwise
 *
 * A picture without a label has no text. caption-grid.ts draws samples of captions.
 */
import type { Labels } from '../diffusion/guidance.ts';
import { cellsOf, pictureGrid, pictureGridFromBatch } from '../image/grid.ts';
import type { Picture } from '../image/png.ts';
import { captionGrid } from './caption-grid.ts';
import type { PictureSize } from './figures/picture-rows.ts';
import type { Captions } from './networks/text-encoder.ts';

/** With more classes than this, a class does not get its own column. */
const MOST_CLASSES = 20;
/** The approximate size of an enlarged picture, in pixels. */
const SIZE = 56;
/** The most pictures in a grid. A grid of thousands would be too large to open. */
export const MOST_SHOWN = 100;
/** The most labels in a title. */
const MOST_IN_TITLE = 12;

const distinct = (labels: Labels) => [...new Set(labels)];

/**
 * The number of columns for labels. The grid is about square. If the labels repeat with a short period, the number is a
 * multiple of the period, so that every column has one label.
 */
export function sampleColumns(labels: Labels): number {
  const n = labels.length;
  const repeat = period(labels);
  const side = Math.sqrt(n);
  if (repeat <= 1 || repeat > MOST_CLASSES) return Math.max(1, Math.ceil(side));
  return Math.min(n, repeat * Math.max(1, Math.round(side / repeat)));
}

/** The smallest p with labels[i + p] = labels[i] for all i. */
function period(labels: Labels): number {
  for (let p = 1; p < labels.length; p++) {
    if (labels.every((label, i) => i < p || label === labels[i - p])) return p;
  }
  return labels.length;
}

/** Samples with their labels, for a grid. */
export interface Samples extends PictureSize {
  readonly labels: Labels;
  /** `[labels.length · height·width·channels]`, 0 to 1. */
  readonly pictures: Float64Array;
  /** The caption of each picture, for a model with captions. */
  readonly captions?: Captions;
  /** A text for each row. Then the labels stand above the columns. */
  readonly rowLabels?: readonly string[];
  /** The input of an edit, 0 to 1: its picture `[height·width·channels]` and its mask `[height·width]`. */
  readonly given?: { readonly picture: Float64Array; readonly mask?: Float64Array | undefined };
}

/** The first samples: as many as fit in a grid. */
export function firstSamples(samples: Samples, most = MOST_SHOWN): Samples {
  const { labels, pictures } = samples;
  if (labels.length <= most) return samples;
  const size = pictures.length / labels.length;
  const captions = samples.captions && { captions: samples.captions.slice(0, most) };
  return { ...samples, ...captions, labels: labels.slice(0, most), pictures: pictures.slice(0, most * size) };
}

/** The label if all labels are equal, or null. */
function shared(labels: Labels): number | null {
  const [first = null, ...others] = distinct(labels);
  return others.length === 0 ? first : null;
}

/** The labels as texts, or an empty list if a label is null. */
const texts = (labels: readonly (number | null)[]): string[] =>
  labels.every((label) => label !== null) ? labels.map(String) : [];

/** Draws the grid. Small pictures are enlarged. The input of an edit is in a row above the samples. */
export function sampleGrid(samples: Samples, columns = sampleColumns(samples.labels)): Picture {
  const { height, width, channels = 1, labels, pictures, given } = samples;
  const size = { height, width, channels };
  const scale = Math.max(1, Math.floor(SIZE / height));
  if (samples.captions) return captionGrid(samples, scale);
  if (given) {
    // The grid's background is white, so the mask is drawn in grey.
    const mask = given.mask && given.picture.map((_, i) => 0.75 * given.mask![Math.floor(i / channels)]);
    const sources = [given.picture, ...(mask ? [mask] : [])];
    const made = cellsOf(pictures, size);
    const captions = [['given', 'mask'].slice(0, sources.length), ...captionsOf(labels, columns)];
    return pictureGrid([sources, ...rowsOf(made, columns)], { ...size, scale, captions });
  }
  const one = shared(labels);
  const across = Math.min(columns, labels.length);
  const byColumn = Array.from({ length: across }, (_, c) =>
    shared(labels.filter((_, i) => i % columns === c)),
  );
  const byRow = Array.from({ length: Math.ceil(labels.length / columns) }, (_, r) =>
    shared(labels.slice(r * columns, (r + 1) * columns)),
  );
  const columnLabels = one === null ? texts(byColumn) : [];
  const rowLabels = samples.rowLabels ?? (one === null && columnLabels.length === 0 ? texts(byRow) : []);
  const isLabelled = columnLabels.length + rowLabels.length > 0 || labels.some((label) => label === null);
  const isLong = one === null && labels.length > MOST_IN_TITLE;
  const title = isLabelled || isLong ? '' : titleOf(labels);
  const captions = isLabelled || !isLong ? [] : captionsOf(labels, columns);
  const words = { columnLabels, rowLabels, title, captions };
  return pictureGridFromBatch(pictures, { ...size, columns, scale, ...words });
}

/** The title: `label 7`, or a list of the labels. */
function titleOf(labels: Labels): string {
  const all = distinct(labels);
  return all.length === 1 ? `label ${all[0]}` : `labels, row by row: ${labels.join(' ')}`;
}

/** Splits a list into rows of `columns` entries. The last row may be shorter. */
const rowsOf = <T>(all: readonly T[], columns: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / columns) }, (_, r) =>
    all.slice(r * columns, (r + 1) * columns),
  );

/** The captions below the pictures, row by row. A picture without a label has an empty caption. */
const captionsOf = (labels: Labels, columns: number): string[][] =>
  rowsOf(
    labels.map((label) => (label === null ? '' : String(label))),
    columns,
  );
