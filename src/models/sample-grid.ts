/**
 * Samples of a diffusion model as one picture with their labels: above the columns where a column has one label,
 * beside the rows where a row has one, else as a title where they are few, and below each picture where they are many.
 */
import type { Labels } from '../diffusion/guidance.ts';
import { cellsOf, pictureGrid, pictureGridFromBatch } from '../image/grid.ts';
import type { Picture } from '../image/png.ts';

/** More classes than this do not have a column each. */
const MOST_CLASSES = 20;
/** About the pixels of a picture that is drawn. */
const SIZE = 56;
/** The most pictures of a sheet: one of thousands can neither be looked at nor be opened. */
export const MOST_SHOWN = 100;
/** More labels than this do not go into a title. */
const MOST_IN_TITLE = 12;

const distinct = (labels: Labels) => [...new Set(labels)];

/** Columns for labels in turn: about as many as rows, and a class a column where there are few. */
export function sampleColumns(labels: Labels): number {
  const n = labels.length;
  const turn = period(labels);
  const side = Math.sqrt(n);
  if (turn <= 1 || turn > MOST_CLASSES) return Math.max(1, Math.ceil(side));
  return Math.min(n, turn * Math.max(1, Math.round(side / turn)));
}

/** The least p with labels[i + p] = labels[i] for all i. */
function period(labels: Labels): number {
  for (let p = 1; p < labels.length; p++) {
    if (labels.every((label, i) => i < p || label === labels[i - p])) return p;
  }
  return labels.length;
}

/** Samples with their labels: what a grid shows. */
export interface Samples {
  readonly height: number;
  readonly width: number;
  readonly labels: Labels;
  /** `[labels.length · height·width]`, 0 to 1. */
  readonly pictures: Float64Array;
  /** The picture and the mask that they were made from, each `[height·width]`, 0 to 1. */
  readonly given?: { readonly picture: Float64Array; readonly mask?: Float64Array | undefined };
}

/** The first of the samples, as many as a sheet shows. */
export function firstSamples(samples: Samples, most = MOST_SHOWN): Samples {
  const { labels, pictures } = samples;
  if (labels.length <= most) return samples;
  const size = pictures.length / labels.length;
  return { ...samples, labels: labels.slice(0, most), pictures: pictures.slice(0, most * size) };
}

/** The label that all have, or null. */
function shared(labels: Labels): number | null {
  const [first = null, ...others] = distinct(labels);
  return others.length === 0 ? first : null;
}

/** Texts for labels that are all there, else none. */
const texts = (labels: readonly (number | null)[]): string[] =>
  labels.every((label) => label !== null) ? labels.map(String) : [];

/** The grid, small pictures enlarged. What the samples were made from has a row above them. */
export function sampleGrid(samples: Samples, columns = sampleColumns(samples.labels)): Picture {
  const { height, width, labels, pictures, given } = samples;
  const scale = Math.max(1, Math.floor(SIZE / height));
  if (given) {
    // White would not stand out from the sheet.
    const sources = [given.picture, ...(given.mask ? [given.mask.map((value) => 0.75 * value)] : [])];
    const made = cellsOf(pictures, { height, width });
    const captions = [['given', 'mask'].slice(0, sources.length), ...captionsOf(labels, columns)];
    return pictureGrid([sources, ...rowsOf(made, columns)], { height, width, scale, captions });
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
  const rowLabels = one === null && columnLabels.length === 0 ? texts(byRow) : [];
  const isLabelled = columnLabels.length + rowLabels.length > 0 || labels.some((label) => label === null);
  const isLong = one === null && labels.length > MOST_IN_TITLE;
  const title = isLabelled || isLong ? '' : titleOf(labels);
  const captions = isLabelled || !isLong ? [] : captionsOf(labels, columns);
  const words = { columnLabels, rowLabels, title, captions };
  return pictureGridFromBatch(pictures, { height, width, columns, scale, ...words });
}

/** `label 7`, or the labels row by row. */
function titleOf(labels: Labels): string {
  const all = distinct(labels);
  return all.length === 1 ? `label ${all[0]}` : `labels, row by row: ${labels.join(' ')}`;
}

/** Rows of that many columns; the last may be shorter. */
const rowsOf = <T>(all: readonly T[], columns: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / columns) }, (_, r) =>
    all.slice(r * columns, (r + 1) * columns),
  );

/** A label below each picture that has one, row by row. */
const captionsOf = (labels: Labels, columns: number): string[][] =>
  rowsOf(
    labels.map((label) => (label === null ? '' : String(label))),
    columns,
  );
