/** `langevin train lecture`: its settings, its network and its results. train.ts runs the training. */
import { LECTURE_TABLE } from '../../models/settings.ts';
import { type LectureRecipe, newLectureTrainer, resumeLecture } from '../../models/training/lecture.ts';
import { readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { PROGRAM } from '../options/program.ts';
import { LECTURE_FILES, lectureResults } from '../results/lecture-results.ts';
import { FROM_PICTURES, trainCommand } from './train.ts';

export const TRAIN_LECTURE: Command = trainCommand<LectureRecipe>({
  name: 'train lecture',
  summary: "Train the lecture's diffusion model, and show what it cannot learn",
  examples: ['train lecture', 'train lecture --data mnist'],
  table: LECTURE_TABLE,
  out: 'out/lecture',
  files: LECTURE_FILES,
  ...FROM_PICTURES,
  begin(options) {
    const settings = readSettings(LECTURE_TABLE, options);
    return (data, limitSeconds) => newLectureTrainer({ ...data, ...settings, limitSeconds });
  },
  resume: resumeLecture,
  lines({ module: { dimension, hidden }, settings }, parameters) {
    const layers = [dimension + 1, hidden, hidden, dimension].join('-');
    return [`lecture  ${layers} with ReLU, T = ${settings.schedule.length}, ${parameters}`];
  },
  results: lectureResults,
  next: () => [
    [`${PROGRAM} train diffusion`, 'trains a diffusion model of a thousand steps, which generates digits'],
  ],
});
