/** The lessons that are finished, in the order of their numbers. */
import type { Lesson } from '../lesson.ts';
import { BROWNIAN_LESSON } from './brownian/lesson.ts';
import { DENOISER_LESSON } from './denoiser/lesson.ts';
import { EQUATIONS_LESSON } from './equations/lesson.ts';
import { FIVE_STEPS_LESSON } from './five-steps/lesson.ts';
import { KERNELS_LESSON } from './kernels/lesson.ts';
import { LABELS_LESSON } from './labels/lesson.ts';
import { NOISING_LESSON } from './noising/lesson.ts';
import { PURE_NOISE_LESSON } from './pure-noise/lesson.ts';
import { SCORES_LESSON } from './scores/lesson.ts';
import { START_LESSON } from './start/lesson.ts';
import { STEP_LESSON } from './step/lesson.ts';
import { UNET_LESSON } from './unet/lesson.ts';

export const LESSONS: readonly Lesson[] = [
  START_LESSON,
  BROWNIAN_LESSON,
  EQUATIONS_LESSON,
  NOISING_LESSON,
  DENOISER_LESSON,
  STEP_LESSON,
  PURE_NOISE_LESSON,
  FIVE_STEPS_LESSON,
  SCORES_LESSON,
  LABELS_LESSON,
  UNET_LESSON,
  KERNELS_LESSON,
];
