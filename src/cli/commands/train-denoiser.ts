/** `langevin train denoiser`: its options, and what train.ts needs to know of it. */
import type { Command } from 'cac';
import { Denoiser } from '../../models/networks/denoiser.ts';
import {
  DENOISER_SETTINGS,
  type DenoiserRecipe,
  type DenoiserSettings,
  denoiserTrainer,
  resumeDenoiser,
} from '../../models/training/denoiser.ts';
import { Rng } from '../../random/rng.ts';
import { count, number, type Options, text } from '../options/arguments.ts';
import { addDataOptions, type DataChoice } from '../options/data.ts';
import { addEngineOptions } from '../options/engine.ts';
import { RESUME_OPTION } from '../options/resume.ts';
import { REPORT_OPTIONS } from '../report/reporter.ts';
import { DENOISER_FILES, denoiserResults } from '../results/denoiser-results.ts';
import { runTraining } from './train.ts';

/** Epochs over `strokes`, of which there are a sixth as many as of MNIST. */
const STROKES_EPOCHS = 15;

/** Declares the command and its options. */
export function addDenoiserOptions(command: Command): Command {
  const { epochs, batchSize, lr, noise, seed } = DENOISER_SETTINGS;
  addDataOptions(command)
    .usage('train denoiser [options]')
    .option('--epochs <n>', `Passes over the data (default: ${STROKES_EPOCHS} for strokes, else ${epochs})`)
    .option('--batch-size <n>', `Pictures a step (default: ${batchSize})`)
    .option('--lr <rate>', `Adam's learning rate (default: ${lr})`)
    .option('--noise <sigma>', `Standard deviation of the noise; pixels are in 0 to 1 (default: ${noise})`)
    .option('--seed <seed>', `Any text or number; the same seed gives the same bits (default: ${seed})`)
    .option(...RESUME_OPTION)
    .option('--out <folder>', 'Where the results go (default: out)');
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command
    .example('  $ langevin train denoiser')
    .example('  $ langevin train denoiser --data mnist --out out/mnist')
    .example('  $ langevin train denoiser --noise 0.8 --seed "my seed" --json');
}

/** @throws UsageError */
function readSettings(options: Options, data: DataChoice): DenoiserSettings {
  const defaults = DENOISER_SETTINGS;
  return {
    epochs: count(options, 'epochs', data.kind === 'strokes' ? STROKES_EPOCHS : defaults.epochs),
    batchSize: count(options, 'batchSize', defaults.batchSize),
    lr: number(options, 'lr', defaults.lr, 'a number > 0', (lr) => lr > 0),
    noise: number(options, 'noise', defaults.noise, 'a number >= 0', (noise) => noise >= 0),
    seed: text(options, 'seed', String(defaults.seed)),
  };
}

/** Runs the command; the exit code. */
export const trainDenoiserCommand = (options: Options): Promise<number> =>
  runTraining<DenoiserRecipe>(
    {
      name: 'train denoiser',
      out: 'out',
      files: DENOISER_FILES,
      fixed: ['batchSize', 'lr', 'noise', 'seed'],
      begin(options, choice) {
        const settings = readSettings(options, choice);
        return (data) => {
          const { height, width } = data.train;
          const rng = new Rng(settings.seed).stream('initial values');
          return denoiserTrainer(new Denoiser({ inputs: height * width, rng }), { ...data, ...settings });
        };
      },
      resume: resumeDenoiser,
      lines({ module }, parameters) {
        const { inputs, hidden, code } = module.sizes;
        return [`denoiser ${[inputs, hidden, code, hidden, inputs].join('-')}, ${parameters}`];
      },
      results: denoiserResults,
      next: () => [
        ['langevin train denoiser --data mnist', 'real handwriting: 12 MB to download once'],
        ['langevin train denoiser --noise 0.8', 'a harder task'],
      ],
    },
    options,
  );
