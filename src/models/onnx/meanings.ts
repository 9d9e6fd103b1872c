/** What the numbers of a diffusion model mean, in words: for the descriptions and the metadata of an ONNX file. */
import { SIGMA_DATA } from '../../diffusion/preconditioning.ts';
import type { NoiseSchedule } from '../../diffusion/schedule.ts';
import type { DiffusionPipeline } from '../pipeline.ts';
import type { TonesSettings } from '../tones.ts';

/** The times that the network takes. */
export const networkTimes = ({ times, tMax }: NoiseSchedule): string =>
  times
    ? `times from 0 to 1000: 1000*t/${times.length} for step t, from 0 to ${times.length - 1}`
    : `times from 0 to 1000: 1000*t/${tMax} for time t of the schedule, up to ${tMax}`;

/** Noisy pictures. @param scale a factor of them, in words */
export const noisyPictures = ({ name }: NoiseSchedule, scale = ''): string =>
  `noisy pictures alpha*x0 + sigma*eps of the schedule ${name}${scale}, with x0 in [-1, 1]`;

/** The pictures that the network takes. */
export const diffusionInput = ({ isScaled, schedule }: DiffusionPipeline): string =>
  noisyPictures(schedule, isScaled ? `, over sqrt(sigma^2 + ${SIGMA_DATA ** 2}*alpha^2)` : '');

/** The pictures that the network returns. */
export function diffusionOutput({ isDirect, predicts, network }: DiffusionPipeline): string {
  const prediction = isDirect ? `the prediction ${predicts}` : 'an estimate of the clean pictures x0';
  if (!network.learnsVariance) return prediction;
  return `${prediction} in the first half of the channels; in the second half v: the log variance has the share (v + 1)/2 of ln(beta)`;
}

/** How bytes and the numbers of clean pictures belong together. Tables are in the settings of the metadata. */
export function toneNotes({ tones = [], cuts = [], kinds = [] }: TonesSettings): string {
  const encoded = tones.length > 0 ? 'x0 = settings.tones[byte]' : 'x0 = byte*2/255 - 1';
  const own = kinds.length > 0 ? ', or of settings.kinds[k].cuts for the brightness of the picture,' : '';
  const decoded =
    cuts.length > 0
      ? `the number of settings.cuts${own} that are at or below x0`
      : tones.length > 0
        ? 'the byte with the nearest tone'
        : 'round((x0 + 1)*127.5)';
  return `${encoded}; byte = ${decoded}`;
}
