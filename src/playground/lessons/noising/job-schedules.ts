/** The job `schedules`: noise schedules side by side, and one picture with one noise for all of them. */
import { numbersHash } from '../../../models/figures/numbers-hash.ts';
import {
  type SchedulesFigure,
  type SchedulesSettings,
  schedulesFigures,
} from '../../../models/figures/schedules.ts';
import { Rng } from '../../../random/rng.ts';
import type { Hashed } from '../../figure.ts';
import type { Compute, Job } from '../../protocol.ts';
import { picturesOf } from './job-noising.ts';

export interface PageSchedulesSettings extends SchedulesSettings {
  /** Of the noise. */
  readonly seed: string;
  /** A picture of 28x28 bytes in place of the data set's. */
  readonly drawing?: Uint8Array | undefined;
}

export interface SchedulesResult extends Hashed {
  readonly alphaBar: SchedulesFigure;
  readonly snr: SchedulesFigure;
  /** `[28·28]`, −1 to 1. */
  readonly picture: Float64Array;
  /** `[28·28]`, standard normal. */
  readonly noise: Float64Array;
}

export type SchedulesJob = Job<PageSchedulesSettings, SchedulesResult>;

export const compute: Compute<SchedulesJob> = async ({ seed, drawing, ...settings }) => {
  const { alphaBar, snr } = schedulesFigures(settings);
  const { images } = picturesOf(drawing, 1);
  const z = new Rng(seed).stream('page noise').normal([images.length]);
  const noise = Float64Array.from(z.toTypedArray());
  z.dispose();
  return {
    alphaBar,
    snr,
    picture: Float64Array.from(images, (byte) => byte / 127.5 - 1),
    noise,
    hashes: { 'alpha-bar.svg': await numbersHash(alphaBar), 'snr.svg': await numbersHash(snr) },
  };
};
