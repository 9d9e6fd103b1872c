/**
 * The mean picture of samples, the mean of equally many real pictures with the same labels, and the difference of both.
 * There is one column for all pictures and one for each label. In the difference middle grey means 0, white means more
 * ink in the samples, and black means less. Each difference is scaled so that it just reaches black or white. Its
 * caption is the factor.
 */
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import { type JudgedPictures, picturesAt } from '../evaluation/judged.ts';
import { greyOf } from '../evaluation/picture-statistics.ts';
import type { Sheet } from './sheet.ts';

/** With more classes than this there are no columns for labels. */
const MOST_CLASSES = 20;

/**
 * @param train the training set
 * @param matched the real picture of each sample, an index of the training set
 */
export function meanDifferenceFigure(samples: JudgedPictures, train: Dataset, matched: Uint32Array): Sheet {
  const { height, width, channels, classes } = train;
  const all = [...samples.labels.keys()];
  const of = (label: number) => all.filter((i) => samples.labels[i] === label);
  const labels = classes > MOST_CLASSES ? [] : [...Array(classes).keys()];
  const columns = [
    { name: 'all', at: all },
    ...labels.map((label) => ({ name: String(label), at: of(label) })),
  ].filter(({ at }) => at.length > 0);
  const meanOf = (images: Uint8Array, at: readonly number[]) =>
    meanPicture(greyOf(picturesAt(images, pictureSize(train), at), channels), at.length);
  const means = columns.map(({ at }) => meanOf(samples.images, at));
  const real = columns.map(({ at }) =>
    meanOf(
      train.images,
      at.map((i) => matched[i]),
    ),
  );
  const differences = means.map((mean, c) => enlarged(mean, real[c]));
  return {
    height,
    width,
    title: 'means of samples and of real pictures; in the difference grey is 0',
    columnLabels: columns.map(({ name }) => name),
    rows: [
      { label: 'samples', pixels: joined(means), captions: [] },
      { label: 'real', pixels: joined(real), captions: [] },
      {
        label: 'difference',
        pixels: joined(differences.map(({ pixels }) => pixels)),
        captions: differences.map(({ factor }) => `x${Number(factor.toPrecision(2))}`),
      },
    ],
  };
}

/** The mean of n grey pictures, 0 to 1. */
function meanPicture(greys: Uint8Array, n: number): Float64Array {
  const pixels = greys.length / n;
  const sums = new Float64Array(pixels);
  for (let i = 0; i < greys.length; i++) sums[i % pixels] += greys[i];
  return sums.map((sum) => sum / (255 * n));
}

/** 1/2 + factor·(a - b)/2, with the largest factor for which this is in [0, 1]. The factor is 1 if a equals b. */
function enlarged(a: Float64Array, b: Float64Array): { pixels: Float64Array; factor: number } {
  const most = a.reduce((found, x, i) => Math.max(found, Math.abs(x - b[i])), 0);
  const factor = most === 0 ? 1 : 1 / most;
  return { pixels: a.map((x, i) => 0.5 + (factor * (x - b[i])) / 2), factor };
}

/** Concatenates arrays of numbers. */
const joined = (parts: readonly Float64Array[]): Float64Array =>
  Float64Array.from(parts.flatMap((part) => [...part]));
