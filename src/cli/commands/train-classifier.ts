/** `langevin train classifier`: its settings, its network and its results. train.ts runs the training. */
import { quoted } from '../../models/command-line.ts';
import { CLASSIFIER_TABLE } from '../../models/settings.ts';
import {
  type ClassifierRecipe,
  classifierTrainer,
  resumeClassifier,
} from '../../models/training/classifier.ts';
import { classifierSettings, createClassifier } from '../../models/training/classifier-settings.ts';
import { Rng } from '../../random/rng.ts';
import { readSettings } from '../options/arguments.ts';
import type { Command } from '../options/command.ts';
import { PROGRAM } from '../options/program.ts';
import { CLASSIFIER_FILES, classifierResults } from '../results/classifier-results.ts';
import { FROM_PICTURES, trainCommand } from './train.ts';

export const TRAIN_CLASSIFIER: Command = trainCommand<ClassifierRecipe>({
  name: 'train classifier',
  summary: 'Train a classifier of digits, and show its mistakes',
  examples: ['train classifier --data mnist', 'train classifier --model mlp'],
  table: CLASSIFIER_TABLE,
  out: 'out/classifier',
  files: CLASSIFIER_FILES,
  ...FROM_PICTURES,
  begin(options) {
    const { model: name, seconds, ...given } = readSettings(CLASSIFIER_TABLE, options);
    return (data, limitSeconds) => {
      const { height, width, channels, classes, length } = data.train;
      const rng = new Rng(given.seed).stream('initial values');
      const model = createClassifier(name, { height, width, channels, classes }, rng);
      return classifierTrainer(model, data, classifierSettings(name, length, given), limitSeconds);
    };
  },
  resume: resumeClassifier,
  lines: ({ module }, parameters) => [`network  ${module.description}, ${parameters}`],
  results: classifierResults,
  next: (out) => [
    [`${PROGRAM} train classifier --data mnist`, 'uses real handwriting, a download of 12 MB'],
    [
      `${PROGRAM} evaluate --judge ${quoted(out)}`,
      'judges the samples of a diffusion model by this classifier',
    ],
  ],
});
