/**
 * The job `completing`: half of a digit is kept, and the model makes the other half, as `langevin sample --inpaint` does.
 * The result has the picture and the mask as PNG files too, because the command takes them.
 */

import { pictureSize } from '../../../data/dataset.ts';
import { loadStrokes } from '../../../data/strokes-set.ts';
import { ValueError } from '../../../errors.ts';
import { encodePng } from '../../../image/png.ts';
import type { Compute, Job } from '../../protocol.ts';
import { type TrajectoryResult, type TrajectorySettings, trajectoryJob } from './trajectory.ts';

/** The halves that can be made new. */
export type Half = 'lower' | 'upper' | 'left' | 'right';

const SHAPE = { height: 28, width: 28, channels: 1 } as const;
/** Without a drawing the digit is the first of this class among the drawn digits of `strokes`. */
const OWN_DIGIT = 3;
/** A page makes each step at most so often. */
const MOST_RESAMPLES = 100;

export interface CompletingSettings extends TrajectorySettings {
  /** The half that is made new. */
  readonly half: Half;
  /** How often each step is made. */
  readonly resamples: number;
  /** A picture of 28x28 bytes. */
  readonly drawing?: Uint8Array | undefined;
}

/** What is given to the model. */
export interface Given {
  /** `[28·28]` bytes. */
  readonly picture: Uint8Array;
  /** `[28·28]`: 255 where a pixel is made new, 0 where it stays. */
  readonly mask: Uint8Array;
}

export interface CompletingResult extends TrajectoryResult {
  readonly given: Given;
}

export type CompletingJob = Job<CompletingSettings, CompletingResult, CompletingResult | string>;

function isNew(half: Half, x: number, y: number): boolean {
  const middle = { x: SHAPE.width / 2, y: SHAPE.height / 2 };
  if (half === 'lower') return y >= middle.y;
  if (half === 'upper') return y < middle.y;
  return half === 'right' ? x >= middle.x : x < middle.x;
}

/** The mask of a half, [28·28]. */
export const maskOf = (half: Half): Uint8Array =>
  Uint8Array.from({ length: pictureSize(SHAPE) }, (_, i) =>
    isNew(half, i % SHAPE.width, Math.floor(i / SHAPE.width)) ? 255 : 0,
  );

/** The digit without a drawing, [28·28]. */
function ownDigit(): Uint8Array {
  const { images, labels } = loadStrokes({ train: 0, test: 100 }).test;
  const at = labels.indexOf(OWN_DIGIT) * pictureSize(SHAPE);
  return images.slice(at, at + pictureSize(SHAPE));
}

/** A picture as a PNG file, in an array that can be transferred. */
const pngOf = (pixels: Uint8Array) => new Uint8Array(encodePng({ ...SHAPE, pixels }));

export const compute: Compute<CompletingJob> = async function* ({ half, resamples, drawing, ...settings }) {
  if (resamples > MOST_RESAMPLES) {
    throw new ValueError(`--resamples: expected at most ${MOST_RESAMPLES} on this page, got ${resamples}`);
  }
  const given: Given = { picture: drawing ?? ownDigit(), mask: maskOf(half) };
  const share = (bytes: Uint8Array) => Float64Array.from(bytes, (byte) => byte / 255);
  const edit = { picture: share(given.picture), mask: share(given.mask), resamples };
  const result = yield* trajectoryJob(settings, edit, { given });
  return { ...result, files: { 'digit.png': pngOf(given.picture), 'mask.png': pngOf(given.mask) } };
};
