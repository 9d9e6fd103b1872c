/**
 * A quiz for people: which pictures are real? It has 50 samples and 50 real pictures with the same labels, in random
 * order, numbered from 1. Random answers are right for about half of the pictures.
 */
import { type Dataset, permutation, pictureSize } from '../../data/dataset.ts';
import type { Labels } from '../../diffusion/guidance.ts';
import type { Seed } from '../../random/rng.ts';
import { type JudgedPictures, matchLabels, picturesAt } from '../evaluation/judged.ts';
import { rowsOfTen, type Sheet } from './sheet.ts';

/** The number of samples in the quiz, and of real pictures. */
const EACH = 50;

/** One picture of the quiz. */
export interface QuizPicture {
  readonly isSample: boolean;
  /** Its index among the samples, or in the training set. */
  readonly index: number;
  /** The label. */
  readonly label: number | null;
}

/**
 * The pictures of the quiz in their order, which is a function of the seed.
 * @param labels the labels of the samples
 * @param train the training set
 * @throws ValueError if there are too few real pictures of a label
 */
export function quizPictures(labels: Labels, train: Dataset, seed: Seed): readonly QuizPicture[] {
  const samples = [...permutation(labels.length, `${seed}/quiz samples`).subarray(0, EACH)];
  const chosen = samples.map((i) => labels[i]);
  const real = [...matchLabels('quiz', chosen, train, `${seed}/quiz`)];
  const pictures = [
    ...samples.map((index, i) => ({ isSample: true, index, label: chosen[i] })),
    ...real.map((index, i) => ({ isSample: false, index, label: chosen[i] })),
  ];
  return Array.from(permutation(pictures.length, `${seed}/quiz order`), (i) => pictures[i]);
}

/** The sheet of the quiz, without the answers. */
export function quizFigure(samples: JudgedPictures, train: Dataset, pictures: readonly QuizPicture[]): Sheet {
  const size = pictureSize(train);
  const images = new Uint8Array(pictures.length * size);
  for (const [to, { isSample, index }] of pictures.entries()) {
    images.set(picturesAt((isSample ? samples : train).images, size, [index]), to * size);
  }
  const numbers = pictures.map((_, i) => String(i + 1));
  const { height, width } = train;
  return {
    height,
    width,
    title: 'which are real?',
    columnLabels: [],
    rows: rowsOfTen('', train, images, numbers),
  };
}

/** The answers as text, with one line per picture. */
export function quizKey(pictures: readonly QuizPicture[]): string {
  const ours = pictures.filter(({ isSample }) => isSample).length;
  const lines = pictures.map(({ isSample, index, label }, i) => {
    const what = isSample ? `sample  ${index}` : `real    training picture ${index}`;
    return `${String(i + 1).padStart(4)}  ${what}${label === null ? '' : `, label ${label}`}`;
  });
  const head = `${ours} samples and ${pictures.length - ours} real pictures. By chance about half of the answers are right.`;
  return `${[head, '', ...lines].join('\n')}\n`;
}
