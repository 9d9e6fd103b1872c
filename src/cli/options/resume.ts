/** What a training run is made of before its data are read: a new one by its options, or one that goes on by its file. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { nameOf, type Settings, text } from '../../models/setting.ts';
import { folderOf, readCheckpoint } from '../results/checkpoints.ts';
import { type Options, readSettings, UsageError } from './arguments.ts';
import { chooseData, type DataChoice, savedData } from './data.ts';
import { outSetting, REPORT_TABLE } from './output.ts';

export interface Plan {
  /** The file that the run goes on from; null for a new run. */
  readonly checkpoint: Checkpoint | null;
  readonly choice: DataChoice;
  readonly out: string;
  /** As given, in place of the default or of the file's own. */
  readonly epochs: number | undefined;
  /** Ends the run after this time of training. */
  readonly seconds: number | undefined;
}

/** The options of a training command beside those of its recipe. @param out the folder of a new run */
export const runTable = (out: string) =>
  ({
    resume: text('resume', null, 'Continue from a checkpoint, or from the newest one in a folder.', {
      placeholder: 'path',
    }),
    out: outSetting(null, `${out}; the run's own with --resume`),
    ...REPORT_TABLE,
  }) as const;

/** Settings that a run which goes on may be given anew. All others are its file's. */
const FREE: readonly string[] = ['epochs', 'seconds'];

/**
 * @param table the recipe's settings, @param folder of a new run where none is given
 * @throws UsageError, and FileError or FormatError for a checkpoint that cannot be read
 */
export async function readPlan(options: Options, table: Settings, folder: string): Promise<Plan> {
  const { resume, out } = readSettings(runTable(folder), options);
  const given = readSettings(table, options) as { readonly epochs: number; readonly seconds?: number };
  const epochs = options.epochs === undefined ? undefined : given.epochs;
  if (resume === undefined) {
    const choice = chooseData(options);
    return { checkpoint: null, choice, out: out ?? folder, epochs, seconds: given.seconds };
  }
  const fixed = Object.keys(table).find((name) => options[name] !== undefined && !FREE.includes(name));
  if (fixed) {
    const name = nameOf(table[fixed]);
    throw new UsageError(`${name} belongs to a new run, got --resume ${resume}, which has its own`);
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
