/** The pictures that a classifier predicts wrong, the worst first, each with its label and its prediction. */
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import type { Mistake } from '../evaluation/classification.ts';
import type { PictureSize } from './picture-rows.ts';

/** The most pictures in the figure. */
export const MOST_MISTAKES = 60;

export interface MistakesFigure extends PictureSize {
  /** One caption per picture. `4 as 9` has the label 4 and the prediction 9. */
  readonly captions: readonly string[];
  /** `[mistakes · height·width]`, 0 to 255. A pixel with several channels is their mean. */
  readonly pixels: Uint8Array;
}

/** The figure of a classifier's mistakes on `dataset`. It keeps their order. */
export function mistakesFigure(dataset: Dataset, mistakes: readonly Mistake[]): MistakesFigure {
  const { height, width, channels, images } = dataset;
  const shown = mistakes.slice(0, MOST_MISTAKES);
  const [size, area] = [pictureSize(dataset), height * width];
  const pixels = new Uint8Array(shown.length * area);
  for (const [to, { picture }] of shown.entries()) {
    for (let i = 0; i < area; i++) {
      const from = picture * size + i * channels;
      const sum = images.subarray(from, from + channels).reduce((a, b) => a + b, 0);
      pixels[to * area + i] = Math.round(sum / channels);
    }
  }
  return { height, width, captions: shown.map(({ given, predicted }) => `${given} as ${predicted}`), pixels };
}
