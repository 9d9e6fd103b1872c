/** The obedience of samples to their captions, for evaluation.json and as lines of text. */
import { ATTRIBUTES } from '../../models/captions/attributes.ts';
import type { JudgedPictures } from '../../models/evaluation/judged.ts';
import {
  type CaptionTask,
  type Leakage,
  measureLeakage,
  measureObedience,
  type Obedience,
} from '../../models/evaluation/obedience.ts';
import type { Proportion } from '../../models/evaluation/wilson.ts';
import { classify, type PictureClassifier } from '../../models/networks/picture-classifier.ts';

/** The measures of captions. */
export interface ObedienceReport {
  readonly obedience: Obedience;
  /** The same for held-out combinations. */
  readonly heldOut: Obedience;
  readonly leakage: ReturnType<typeof measureLeakage>;
}

/** Measures samples, and samples of held-out combinations. */
export function obedienceOf(
  { task, heldOut }: { readonly task: CaptionTask; readonly heldOut: Uint8Array },
  samples: JudgedPictures,
  judge: PictureClassifier,
): ObedienceReport {
  const judged = (captions: CaptionTask['captions'], images: Uint8Array) => {
    const { classes } = classify(
      judge,
      Float64Array.from(images, (byte) => byte / 255),
    );
    const { height, width, channels } = samples;
    return { height, width, channels, captions, images, classes };
  };
  const own = judged(task.captions, samples.images);
  return {
    obedience: measureObedience(task.thirds, own),
    heldOut: measureObedience(task.thirds, judged(task.heldOut, heldOut)),
    leakage: measureLeakage(task, own),
  };
}

const line = (name: string, text: string) => `${name.padEnd(12)}${text}`;
const percent = (value: number) => (100 * value).toFixed(1);
const shareText = (share: Proportion | null) =>
  share ? `${percent(share.value)} % (${percent(share.low)} to ${percent(share.high)})` : 'none';
const thirdsText = (shares: readonly number[]) => shares.map((value) => Math.round(100 * value)).join('/');

/** The measures as lines of text. */
export function obedienceLines({ obedience, heldOut, leakage }: ObedienceReport): string[] {
  const leaks = ATTRIBUTES.flatMap((name) => {
    const of: Leakage | null = leakage[name];
    return of ? [`${name} ${thirdsText(of.ofSamples)} %, real ${thirdsText(of.ofReal)} %`] : [];
  });
  return [
    line('captions', 'samples in the third that a word names; chance is 33 %'),
    ...ATTRIBUTES.map((name) => line(`  ${name}`, shareText(obedience.attributes[name].both))),
    line('  digit', shareText(obedience.digit)),
    line('  all', `${shareText(obedience.all)} obey the digit and all words`),
    line('  held-out', `${shareText(heldOut.all)} obey all, of combinations that training never saw`),
    line('  unnamed', `lower/middle/upper third: ${leaks.join('; ')}`),
  ];
}
