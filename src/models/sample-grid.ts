/**
 * Samples of a diffusion model as one picture with their labels: above the columns where a column has one label,
 * beside the rows where a row has one, else as a title where they are few, and below each picture where they are many.
 */
import type { Labels } from '../diffusion/guidance.ts';
import { pictureGridFromBatch } from '../image/grid.ts';
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
}

/** The first of the samples, as many as a sheet shows. */
export function firstSamples(samples: Samples, most = MOST_SHOWN): Samples {
  const { height, width, labels, pictures } = samples;
  if (labels.length <= most) return samples;
  const size = pictures.length / labels.length;
  return { height, width, labels: labels.slice(0, most), pictures: pictures.slice(0, most * size) };
}

/** The label that all have, or null. */
function shared(labels: Labels): number | null {
  const [first = null, ...others] = distinct(labels);
  return others.length === 0 ? first : null;
}

/** Texts for labels that are all there, else none. */
const texts = (labels: readonly (number | null)[]): string[] =>
  labels.every((label) => label !== null) ? labels.map(String) : [];

/** The grid, small pictures enlarged. */
export function sampleGrid(
  { height, width, labels, pictures }: Samples,
  columns = sampleColumns(labels),
): Picture {
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
  const scale = Math.max(1, Math.floor(SIZE / height));
  const words = { columnLabels, rowLabels, title, captions };
  return pictureGridFromBatch(pictures, { height, width, columns, scale, ...words });
}

/** `label 7`, or the labels row by row. */
function titleOf(labels: Labels): string {
  const all = distinct(labels);
  return all.length === 1 ? `label ${all[0]}` : `labels, row by row: ${labels.join(' ')}`;
}

/** A label below each picture, row by row. */
const captionsOf = (labels: Labels, columns: number): string[][] =>
  Array.from({ length: Math.ceil(labels.length / columns) }, (_, r) =>
    labels.slice(r * columns, (r + 1) * columns).map(String),
  );
