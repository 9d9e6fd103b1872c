/**
 * Obedience: whether samples show what their captions say. A word is obeyed if the measured attribute of the sample lies
 * in its third of the digit's distribution (captions/thirds.ts). The judge decides which digit a sample shows. If the
 * caption names no digit, the thirds are those of the judge's digit. A word that is ignored is obeyed by a third of the
 * samples.
 *
 * The captions are those of real test pictures, which training never saw. So the attributes that a caption does not name
 * have a known distribution: that of the same real pictures. Leakage is the distance between the two distributions over
 * the thirds, ½·Σ|p - q|, from 0 to 1. It is not 0 for a perfect model, because both are finite samples.
 *
 * The held-out combinations (captions/held-out.ts) are measured apart.
 */
import { type PictureShape, pictureSize, type TrainTest } from '../../data/dataset.ts';
import type { Seed } from '../../random/rng.ts';
import {
  ATTRIBUTES,
  type AttributeName,
  type Attributes,
  measureAttributes,
} from '../captions/attributes.ts';
import { captionedData } from '../captions/captioned.ts';
import { type Caption, sayAll, writeCaption } from '../captions/grammar.ts';
import { HELD_OUT } from '../captions/held-out.ts';
import { type Third, type Thirds, thirdOf } from '../captions/thirds.ts';
import type { OuterThird } from '../captions/words.ts';
import { type Proportion, proportion } from './wilson.ts';

/** Captions to draw, and what the samples are compared with. */
export interface CaptionTask {
  readonly thirds: Thirds;
  /** Captions of test pictures. */
  readonly captions: readonly Caption[];
  /** The attributes of the picture of each caption. */
  readonly real: readonly Attributes[];
  /** The digit of the picture of each caption. */
  readonly digits: readonly number[];
  /** Captions of held-out combinations. */
  readonly heldOut: readonly Caption[];
}

/** The number of captions of test pictures for one caption of a held-out combination. */
const PER_HELD_OUT = 4;

/** The captions of an evaluation: a pure function of data, count and seed. @throws ValueError as `captionedData` */
export function captionTask(data: TrainTest, count: number, seed: Seed): CaptionTask {
  const { thirds, test } = captionedData(data);
  const { attributes, dataset, meanings } = test;
  const places = Array.from({ length: count }, (_, i) => i % meanings.length);
  return {
    thirds,
    captions: places.map((place, i) => writeCaption(meanings[place], `${seed}/evaluate`, i)),
    real: places.map((place) => attributes[place]),
    digits: places.map((place) => dataset.labels[place]),
    heldOut: Array.from({ length: Math.ceil(count / PER_HELD_OUT) }, (_, i) =>
      sayAll(HELD_OUT[i % HELD_OUT.length], `${seed}/held-out`, i),
    ),
  };
}

/** Samples of captions, with what the judge sees in them. */
export interface CaptionedSamples extends PictureShape {
  readonly captions: readonly Caption[];
  /** [n, height, width, channels], bytes. */
  readonly images: Uint8Array;
  /** The digit that the judge sees in each sample. */
  readonly classes: ArrayLike<number>;
}

/** The obedience to the words of one attribute; null if no caption has such a word. */
export interface WordObedience {
  readonly both: Proportion | null;
  readonly low: Proportion | null;
  readonly high: Proportion | null;
}

/** The obedience of samples to their captions. */
export interface Obedience {
  readonly attributes: Readonly<Record<AttributeName, WordObedience>>;
  /** The samples that the judge sees as the digit of their caption. */
  readonly digit: Proportion | null;
  /** The samples that obey all words of their caption, the digit too. */
  readonly all: Proportion | null;
}

const share = (obeyed: readonly boolean[]): Proportion | null =>
  obeyed.length === 0 ? null : proportion(obeyed.filter((is) => is).length, obeyed.length);

/** The third of each attribute, for each sample. */
function thirdsOfSamples(thirds: Thirds, samples: CaptionedSamples): Record<AttributeName, Third>[] {
  const size = pictureSize(samples);
  return samples.captions.map(({ digit }, i) => {
    const measured = measureAttributes(samples.images.subarray(i * size, (i + 1) * size), samples);
    return lying(thirds, digit ?? samples.classes[i], measured);
  });
}

const lying = (thirds: Thirds, digit: number, attributes: Attributes) =>
  Object.fromEntries(
    ATTRIBUTES.map((name) => [name, thirdOf(attributes[name], thirds[digit][name])]),
  ) as Record<AttributeName, Third>;

/** Measures the obedience of samples to their captions. */
export function measureObedience(thirds: Thirds, samples: CaptionedSamples): Obedience {
  const { captions, classes } = samples;
  const found = thirdsOfSamples(thirds, samples);
  const obeys = (i: number, name: AttributeName) => found[i][name] === captions[i].named[name];
  const all = [...captions.keys()];
  const of = (name: AttributeName, wanted: readonly (OuterThird | undefined)[]) =>
    share(all.filter((i) => wanted.includes(captions[i].named[name])).map((i) => obeys(i, name)));
  const ofWords = (name: AttributeName): WordObedience => ({
    both: of(name, ['low', 'high']),
    low: of(name, ['low']),
    high: of(name, ['high']),
  });
  const isDigit = (i: number) => captions[i].digit === null || captions[i].digit === classes[i];
  const names = (i: number) => Object.keys(captions[i].named) as AttributeName[];
  const saysSomething = (i: number) => captions[i].digit !== null || names(i).length > 0;
  return {
    attributes: Object.fromEntries(
      ATTRIBUTES.map((name) => [name, ofWords(name)]),
    ) as Obedience['attributes'],
    digit: share(all.filter((i) => captions[i].digit !== null).map(isDigit)),
    all: share(all.filter(saysSomething).map((i) => isDigit(i) && names(i).every((name) => obeys(i, name)))),
  };
}

/** How the samples that do not name an attribute lie in its thirds, compared with real pictures. */
export interface Leakage {
  /** The number of samples. */
  readonly samples: number;
  /** The shares of the lower, middle and upper third. */
  readonly ofSamples: readonly number[];
  readonly ofReal: readonly number[];
  /** ½·Σ|p - q| */
  readonly distance: number;
}

/** Measures the leakage of each attribute; null if all captions name it. @param samples those of `task.captions` */
export function measureLeakage(
  task: CaptionTask,
  samples: CaptionedSamples,
): Readonly<Record<AttributeName, Leakage | null>> {
  const found = thirdsOfSamples(task.thirds, samples);
  const real = task.real.map((attributes, i) => lying(task.thirds, task.digits[i], attributes));
  const leakage = (name: AttributeName): Leakage | null => {
    const unnamed = [...task.captions.keys()].filter((i) => task.captions[i].named[name] === undefined);
    if (unnamed.length === 0) return null;
    const shares = (of: typeof found) =>
      (['low', 'middle', 'high'] as const).map(
        (third) => unnamed.filter((i) => of[i][name] === third).length / unnamed.length,
      );
    const [ofSamples, ofReal] = [shares(found), shares(real)];
    const distance = ofSamples.reduce((sum, p, k) => sum + Math.abs(p - ofReal[k]) / 2, 0);
    return { samples: unnamed.length, ofSamples, ofReal, distance };
  };
  return Object.fromEntries(ATTRIBUTES.map((name) => [name, leakage(name)])) as ReturnType<
    typeof measureLeakage
  >;
}
