/** Reads the options of a training run: of a new run, or of a run that resumes from a checkpoint. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { nameOf, type Settings, text } from '../../models/setting.ts';
import { folderOf, readCheckpoint } from '../results/checkpoints.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';
import { chooseData, type DataChoice, savedData } from './data.ts';
import { outSetting, REPORT_TABLE } from './output.ts';

/** A training run before its data are loaded. */
export interface Plan {
  /** The checkpoint that the run resumes from; null for a new run. */
  readonly checkpoint: Checkpoint | null;
  readonly choice: DataChoice;
  readonly out: string;
  /** The value of `--epochs`, if it is given. */
  readonly epochs: number | undefined;
  /** The time limit of the training, in seconds. */
  readonly seconds: number | undefined;
}

/** The options that all training commands share, besides their recipes. @param out the default folder of a new run */
export const runTable = (out: string) =>
  ({
    resume: text(
      'resume',
      null,
      'Continue from this checkpoint, or from the newest checkpoint in this folder.',
      {
        placeholder: 'path',
      },
    ),
    out: outSetting(null, `${out}; with --resume, the folder of the checkpoint`),
    ...REPORT_TABLE,
  }) as const;

/** The settings that can change when any run resumes. All others come from the checkpoint. */
const FREE: readonly string[] = ['epochs', 'seconds'];

/**
 * Reads the options of a training run.
 * @param table the settings of the recipe
 * @param folder the default folder of a new run
 * @param free settings that can change when the run resumes, besides the epochs and the time limit
 * @throws UsageError for wrong options, FileError or FormatError for a checkpoint that cannot be read
 */
export async function readPlan(
  options: Options,
  table: Settings,
  folder: string,
  free: readonly string[] = [],
): Promise<Plan> {
  const { resume, out } = readSettings(runTable(folder), options);
  const given = readSettings(table, options) as { readonly epochs: number; readonly seconds?: number };
  const epochs = options.epochs === undefined ? undefined : given.epochs;
  if (resume === undefined) {
    const choice = chooseData(options);
    return { checkpoint: null, choice, out: out ?? folder, epochs, seconds: given.seconds };
  }
  const changes = [...FREE, ...free];
  const fixed = Object.keys(table).find((name) => options[name] !== undefined && !changes.includes(name));
  if (fixed) {
    const name = nameOf(table[fixed]);
    throw new UsageError(`${name}: expected a new run, got --resume ${resume}, which fixes this setting`);
  }
  const checkpoint = await readCheckpoint(resume);
  const notes = (checkpoint.settings ?? {}) as { seconds?: number };
  return {
    checkpoint,
    choice: chooseData({ ...savedData(checkpoint), ...options }),
    out: out ?? folderOf(checkpoint.source),
    epochs,
    seconds: given.seconds ?? notes.seconds,
  };
}
