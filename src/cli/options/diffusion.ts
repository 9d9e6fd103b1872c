/** The options of `langevin train diffusion`. */
import type { Command } from 'cac';
import { LOSS_WEIGHTINGS } from '../../diffusion/objective.ts';
import { PREDICTIONS } from '../../diffusion/prediction.ts';
import { ValueError } from '../../errors.ts';
import type { DiffusionMlpSizes } from '../../models/networks/diffusion-mlp.ts';
import { TRAINING_SCHEDULES, trainingSchedule } from '../../models/pipeline.ts';
import { DIFFUSION_SETTINGS, type DiffusionSettings } from '../../models/training/diffusion.ts';
import { REPORT_OPTIONS } from '../report/reporter.ts';
import { count, number, type Options, oneOf, text, UsageError } from './arguments.ts';
import { addDataOptions } from './data.ts';
import { addEngineOptions } from './engine.ts';
import { RESUME_OPTION } from './resume.ts';

/** Where the results go if nothing is said. */
export const OUT = 'out/diffusion';

/** The networks by name; pictures and classes come from the data. */
const MODELS: Readonly<Record<string, Partial<DiffusionMlpSizes>>> = {
  mlp: {},
  'mlp-small': { hidden: 256, inner: 256, condition: 64 },
  'mlp-tiny': { hidden: 32, inner: 32, depth: 1, condition: 16 },
};

/** Declares the command and its options. */
export function addDiffusionOptions(command: Command): Command {
  const d = DIFFUSION_SETTINGS;
  addDataOptions(command)
    .usage('train diffusion [options]')
    .option('--schedule <name>', `Noise: ${TRAINING_SCHEDULES.join(', ')} (default: ${d.schedule})`)
    .option('--steps <T>', `Steps of a schedule that has some (default: ${d.steps})`)
    .option('--predict <kind>', `What the network says: ${PREDICTIONS.join(', ')} (default: ${d.predicts})`)
    .option(
      '--weight <name>',
      `Of times in the loss: ${LOSS_WEIGHTINGS.join(', ')} (default: ${d.lossWeighting})`,
    )
    .option('--model <name>', `Network: ${Object.keys(MODELS).join(', ')} (default: mlp)`)
    .option('--epochs <n>', `Passes over the data (default: ${d.epochs})`)
    .option(
      '--seconds <s>',
      'Ends the run after this time of training, with the learning rate lowered by then',
    )
    .option('--batch-size <n>', `Pictures a step (default: ${d.batchSize})`)
    .option('--lr <rate>', `Adam's learning rate after its warm-up (default: ${d.lr})`)
    .option('--ema <decay>', `Of the moving average of the network, which samples (default: ${d.ema})`)
    .option(
      '--guidance-dropout <share>',
      `Of labels that are withheld, so that sampling can be guided; 1: no labels at all (default: ${d.labelDropout})`,
    )
    .option(...RESUME_OPTION)
    .option('--seed <seed>', `Any text or number; the same seed gives the same bits (default: ${d.seed})`)
    .option('--out <folder>', `Where the results go (default: ${OUT})`);
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command
    .example('  $ langevin train diffusion --data mnist --seconds 600')
    .example('  $ langevin train diffusion --resume out/diffusion')
    .example('  $ langevin sample --label 7');
}

/** @throws UsageError */
function readSettings(options: Options): DiffusionSettings {
  const d = DIFFUSION_SETTINGS;
  const share = (name: string, otherwise: number, most: string, fits: (x: number) => boolean) =>
    number(options, name, otherwise, `a number from 0 to ${most}`, (x) => x >= 0 && fits(x));
  return {
    schedule: oneOf(options, 'schedule', TRAINING_SCHEDULES, d.schedule),
    steps: number(options, 'steps', d.steps, 'a whole number >= 2', (n) => Number.isSafeInteger(n) && n >= 2),
    predicts: oneOf(options, 'predict', PREDICTIONS, d.predicts),
    lossWeighting: oneOf(options, 'weight', LOSS_WEIGHTINGS, d.lossWeighting),
    epochs: count(options, 'epochs', d.epochs),
    batchSize: count(options, 'batchSize', d.batchSize),
    lr: number(options, 'lr', d.lr, 'a number > 0', (lr) => lr > 0),
    ema: share('ema', d.ema, 'below 1', (x) => x < 1),
    labelDropout: share('guidanceDropout', d.labelDropout, '1', (x) => x <= 1),
    seed: text(options, 'seed', String(d.seed)),
  };
}

/** The settings and the network's sizes of a new run. @throws UsageError */
export function readDiffusion(options: Options): {
  readonly settings: DiffusionSettings;
  readonly sizes: Partial<DiffusionMlpSizes>;
} {
  const sizes = MODELS[oneOf(options, 'model', Object.keys(MODELS), 'mlp')];
  const settings = readSettings(options);
  requireSchedule(settings);
  return { settings, sizes };
}

/** @throws UsageError for a schedule that such steps cannot have */
function requireSchedule(settings: DiffusionSettings): void {
  try {
    trainingSchedule(settings);
  } catch (error) {
    throw error instanceof ValueError ? new UsageError(error.message) : error;
  }
}
