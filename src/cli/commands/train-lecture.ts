/** `langevin train lecture`: the lecture's diffusion model as its slides have it, and what comes of it. */
import type { Command } from 'cac';
import { LectureNetwork } from '../../models/lecture/lecture.ts';
import {
  LECTURE_SETTINGS,
  type LectureRecipe,
  type LectureSettings,
  lectureTrainer,
  resumeLecture,
} from '../../models/training/lecture.ts';
import { Rng } from '../../random/rng.ts';
import { count, number, type Options, text } from '../options/arguments.ts';
import { addDataOptions } from '../options/data.ts';
import { addEngineOptions } from '../options/engine.ts';
import { RESUME_OPTION } from '../options/resume.ts';
import { REPORT_OPTIONS } from '../report/reporter.ts';
import { LECTURE_FILES, lectureResults } from '../results/lecture-results.ts';
import { runTraining } from './train.ts';

const OUT = 'out/lecture';

/** Declares the command and its options. */
export function addLectureOptions(command: Command): Command {
  const { epochs, batchSize, lr, seed } = LECTURE_SETTINGS;
  addDataOptions(command)
    .usage('train lecture [options]')
    .option('--epochs <n>', `Passes over the data (default: ${epochs})`)
    .option('--batch-size <n>', `Pictures a step (default: ${batchSize})`)
    .option('--lr <rate>', `Adam's learning rate (default: ${lr})`)
    .option('--seed <seed>', `Any text or number; the same seed gives the same bits (default: ${seed})`)
    .option(...RESUME_OPTION)
    .option('--out <folder>', `Where the results go (default: ${OUT})`);
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command.example('  $ langevin train lecture').example('  $ langevin train lecture --data mnist');
}

/** @throws UsageError */
function readSettings(options: Options): LectureSettings {
  const defaults = LECTURE_SETTINGS;
  return {
    ...defaults,
    epochs: count(options, 'epochs', defaults.epochs),
    batchSize: count(options, 'batchSize', defaults.batchSize),
    lr: number(options, 'lr', defaults.lr, 'a number > 0', (lr) => lr > 0),
    seed: text(options, 'seed', String(defaults.seed)),
  };
}

/** Runs the command; the exit code. */
export const trainLectureCommand = (options: Options): Promise<number> =>
  runTraining<LectureRecipe>(
    {
      name: 'train lecture',
      out: OUT,
      files: LECTURE_FILES,
      fixed: ['batchSize', 'lr', 'seed'],
      begin(options) {
        const settings = readSettings(options);
        return (data) => {
          const { height, width } = data.train;
          const rng = new Rng(settings.seed).stream('initial values');
          return lectureTrainer(new LectureNetwork(height * width, 400, rng), { ...data, ...settings });
        };
      },
      resume: resumeLecture,
      lines({ module: { dimension, hidden }, settings }, parameters) {
        const layers = [dimension + 1, hidden, hidden, dimension].join('-');
        return [`lecture  ${layers} with ReLU, T = ${settings.schedule.length}, ${parameters}`];
      },
      results: lectureResults,
      next: () => [['langevin train diffusion', 'the same idea with a thousand steps, which makes digits']],
    },
    options,
  );
