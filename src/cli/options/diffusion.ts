/** What a run of `langevin train diffusion` is told: a new one by its options, one that goes on by its checkpoint. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { Objective } from '../../diffusion/objective.ts';
import type { DiffusionMlpSizes } from '../../models/networks/diffusion-mlp.ts';
import { trainingSchedule } from '../../models/pipeline.ts';
import { nameOf, text } from '../../models/setting.ts';
import { DIFFUSION_NETWORKS, DIFFUSION_TABLE } from '../../models/settings.ts';
import type { DiffusionSettings } from '../../models/training/diffusion.ts';
import { settingsOf } from '../../models/training/resume.ts';
import { folderOf, readCheckpoint } from '../results/checkpoints.ts';
import { asUsage, type Options, readSettings, UsageError } from './arguments.ts';
import { chooseData, type DataChoice, savedData } from './data.ts';
import { outSetting } from './output.ts';

const OUT = 'out/diffusion';

/** Options beside those of the recipe. */
export const RUN_TABLE = {
  resume: text('resume', null, 'Continue from a checkpoint, or from the newest one in a folder.', {
    placeholder: 'path',
  }),
  out: outSetting(null, `${OUT}; the run's own with --resume`),
} as const;

/** What a run that is resumed has from its file. */
const FIXED = [
  'schedule',
  'steps',
  'predicts',
  'lossWeighting',
  'model',
  'batchSize',
  'lr',
  'ema',
  'labelDropout',
  'seed',
] as const;

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
  const { resume, out } = readSettings(RUN_TABLE, options);
  const { model, seconds, ...settings } = readSettings(DIFFUSION_TABLE, options);
  if (resume === undefined) {
    // What no schedule or no loss can be is a fault of the command line.
    asUsage(() => new Objective(trainingSchedule(settings), settings));
    const choice = chooseData(options);
    return { checkpoint: null, choice, settings, sizes: DIFFUSION_NETWORKS[model], seconds, out: out ?? OUT };
  }
  const fixed = FIXED.find((name) => options[name] !== undefined);
  if (fixed) {
    const name = nameOf(DIFFUSION_TABLE[fixed]);
    throw new UsageError(`${name} belongs to a new run, got --resume ${resume}, which has its own`);
  }
  const checkpoint = await readCheckpoint(resume);
  const saved = settingsOf(checkpoint);
  const notes = (checkpoint.settings ?? {}) as { seconds?: number };
  return {
    checkpoint,
    choice: chooseData({ ...savedData(checkpoint), ...options }),
    settings: { ...saved, epochs: options.epochs === undefined ? saved.epochs : settings.epochs },
    sizes: {},
    seconds: seconds ?? notes.seconds,
    out: out ?? folderOf(checkpoint.source),
  };
}
