/** `langevin train classifier`: what train.ts needs to know of it. */
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
import { trainCommand } from './train.ts';

export const TRAIN_CLASSIFIER: Command = trainCommand<ClassifierRecipe>({
  name: 'train classifier',
  summary: 'Train a classifier of digits, and see its mistakes',
  examples: ['train classifier --data mnist', 'train classifier --model mlp'],
  table: CLASSIFIER_TABLE,
  out: 'out/classifier',
  files: CLASSIFIER_FILES,
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
    [`${PROGRAM} train classifier --data mnist`, 'real handwriting: 12 MB to download once'],
    [`${PROGRAM} evaluate --judge ${quoted(out)}`, 'judges the pictures of a diffusion model with it'],
  ],
});
