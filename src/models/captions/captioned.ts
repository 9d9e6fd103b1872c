/**
 * A data set with captions. The thirds are those of the training set, and the test set uses the same. The pictures of
 * held-out combinations are removed from both.
 */
import { type Dataset, gather, type TrainTest } from '../../data/dataset.ts';
import type { Attributes } from './attributes.ts';
import { type Caption, writeCaption } from './grammar.ts';
import { isHeldOut } from './held-out.ts';
import { attributesOf, fullMeaning, type Thirds, thirdsOf } from './thirds.ts';
import type { Meaning } from './words.ts';

/** A data set, and all that words can say about each of its pictures. */
export interface CaptionedSet {
  readonly dataset: Dataset;
  /** The measurements of each picture. */
  readonly attributes: readonly Attributes[];
  /** One for each picture. */
  readonly meanings: readonly Meaning[];
}

/** A training and a test set with captions, without the held-out combinations. */
export interface CaptionedData {
  readonly thirds: Thirds;
  readonly train: CaptionedSet;
  readonly test: CaptionedSet;
}

/** @throws ValueError for pictures that are no grey digits, or too few of a digit */
export function captionedData({ train, test }: TrainTest): CaptionedData {
  const attributes = attributesOf(train);
  const thirds = thirdsOf(attributes, train.labels);
  const captioned = (dataset: Dataset, measured: typeof attributes): CaptionedSet => {
    const all = measured.map((of, i) => fullMeaning(thirds, dataset.labels[i], of));
    const kept = Uint32Array.from([...all.keys()].filter((i) => !isHeldOut(all[i])));
    const [attributes, meanings] = [Array.from(kept, (i) => measured[i]), Array.from(kept, (i) => all[i])];
    return { dataset: gather(dataset, kept), attributes, meanings };
  };
  return { thirds, train: captioned(train, attributes), test: captioned(test, attributesOf(test)) };
}

/** The caption of picture `index`: a pure function of the set, the seed and the index. */
export const captionOf = ({ meanings }: CaptionedSet, seed: string | number, index: number): Caption =>
  writeCaption(meanings[index], seed, index);
