/**
 * The pictures on which the new network of a two-sample test is most certain. These are the samples with the highest
 * predicted probability to be a sample, and the real pictures with the highest probability to be real. The caption is
 * this probability. All pictures are from the test part.
 */
import { type Dataset, pictureSize } from '../../data/dataset.ts';
import { type JudgedPictures, picturesAt } from '../evaluation/judged.ts';
import type { TwoSampleTest } from '../evaluation/two-sample.ts';
import { rowsOfTen, type Sheet } from './sheet.ts';

/** The most samples in the figure, and the most real pictures. */
export const MOST_SUSPECTS = 30;

/** @param train the training set from which the test took its real pictures */
export function suspectsFigure(
  samples: JudgedPictures,
  train: Dataset,
  { suspects, genuine }: Pick<TwoSampleTest, 'suspects' | 'genuine'>,
): Sheet {
  const { height, width } = train;
  const rows = (label: string, images: Uint8Array, found: readonly { at: number; probability: number }[]) => {
    const shown = found.slice(0, MOST_SUSPECTS);
    const pictures = picturesAt(
      images,
      pictureSize(train),
      shown.map(({ at }) => at),
    );
    const captions = shown.map(({ probability }) => probability.toFixed(3));
    return rowsOfTen(label, train, pictures, captions);
  };
  return {
    height,
    width,
    title: 'what the new network is most certain of, with its probability',
    columnLabels: [],
    rows: [
      ...rows(
        'samples',
        samples.images,
        suspects.map(({ sample: at, probability }) => ({ at, probability })),
      ),
      ...rows(
        'real',
        train.images,
        genuine.map(({ picture: at, probability }) => ({ at, probability })),
      ),
    ],
  };
}
