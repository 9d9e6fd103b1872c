/** What a run of `langevin train diffusion` is told: a new one by its options, one that goes on by its checkpoint. */
import type { Command } from 'cac';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { LOSS_WEIGHTINGS } from '../../diffusion/objective.ts';
import { PREDICTIONS } from '../../diffusion/prediction.ts';
import { ValueError } from '../../errors.ts';
import type { DiffusionMlpSizes } from '../../models/networks/diffusion-mlp.ts';
import { TRAINING_SCHEDULES, trainingSchedule } from '../../models/pipeline.ts';
import { DIFFUSION_SETTINGS, type DiffusionSettings } from '../../models/training/diffusion.ts';
import { settingsOf } from '../../models/training/resume.ts';
import { REPORT_OPTIONS } from '../report/reporter.ts';
import { folderOf, readCheckpoint } from '../results/checkpoints.ts';
import { count, dashed, number, type Options, oneOf, text, UsageError } from './arguments.ts';
import { addDataOptions, chooseData, type DataChoice, savedData } from './data.ts';
import { addEngineOptions } from './engine.ts';

const OUT = 'out/diffusion';

/** The networks by name; pictures and classes come from the data. */
const MODELS: Readonly<Record<string, Partial<DiffusionMlpSizes>>> = {
  mlp: {},
  'mlp-small': { hidden: 256, inner: 256, condition: 64 },
  'mlp-tiny': { hidden: 32, inner: 32, depth: 1, condition: 16 },
};

/** What a run that goes on has from its file, by the names of the options. */
const FIXED = [
  'schedule',
  'steps',
  'predict',
  'weight',
  'model',
  'batchSize',
  'lr',
  'ema',
  'guidanceDropout',
  'seed',
];

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
    .option('--resume <path>', 'Goes on from a checkpoint, or from the newest in a folder')
    .option('--seed <seed>', `Any text or number; the same seed gives the same bits (default: ${d.seed})`)
    .option('--out <folder>', `Where the results go (default: ${OUT})`);
  addEngineOptions(command);
  for (const [flag, what] of REPORT_OPTIONS) command.option(flag, what);
  return command
    .example('  $ langevin train diffusion --data mnist --seconds 600')
    .example('  $ langevin train diffusion --resume out/diffusion')
    .example('  $ langevin sample --label 7');
}

/** The settings of a new run. @throws UsageError */
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

/** What a run is made of before its data are read. */
export interface Plan {
  readonly checkpoint: Checkpoint | null;
  readonly choice: DataChoice;
  readonly settings: DiffusionSettings;
  readonly sizes: Partial<DiffusionMlpSizes>;
  readonly seconds: number | undefined;
  readonly out: string;
}

/** @throws UsageError, and FileError or FormatError for a checkpoint that cannot be read */
export async function readPlan(options: Options): Promise<Plan> {
  const resume = text(options, 'resume', undefined);
  const seconds = number(options, 'seconds', undefined, 'a number > 0', (s) => s > 0);
  if (resume === undefined) {
    const model = oneOf(options, 'model', Object.keys(MODELS), 'mlp');
    const settings = readSettings(options);
    requireSchedule(settings);
    const out = text(options, 'out', OUT);
    return { checkpoint: null, choice: chooseData(options), settings, sizes: MODELS[model], seconds, out };
  }
  const fixed = FIXED.find((name) => options[name] !== undefined);
  if (fixed) {
    throw new UsageError(`${dashed(fixed)} belongs to a new run, got --resume ${resume}, which has its own`);
  }
  const epochs = count(options, 'epochs', undefined);
  const checkpoint = await readCheckpoint(resume);
  const saved = settingsOf(checkpoint);
  const notes = (checkpoint.settings ?? {}) as { seconds?: number };
  return {
    checkpoint,
    choice: chooseData({ ...savedData(checkpoint), ...options }),
    settings: { ...saved, epochs: epochs ?? saved.epochs },
    sizes: {},
    seconds: seconds ?? notes.seconds,
    out: text(options, 'out', folderOf(checkpoint.source)),
  };
}

/** @throws UsageError for a schedule that such steps cannot have */
function requireSchedule(settings: DiffusionSettings): void {
  try {
    trainingSchedule(settings);
  } catch (error) {
    throw error instanceof ValueError ? new UsageError(error.message) : error;
  }
}
