/** What a training run is made of before its data are read: a new one by its options, or one that goes on by its file. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { folderOf, readCheckpoint } from '../results/checkpoints.ts';
import { count, dashed, number, type Options, text, UsageError } from './arguments.ts';
import { chooseData, type DataChoice, savedData } from './data.ts';

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

/** What is said of `--resume` in the help of every training command. */
export const RESUME_OPTION = [
  '--resume <path>',
  'Goes on from a checkpoint, or from the newest in a folder',
] as const;

/**
 * @param out the folder of a new run, where none is given
 * @param fixed options that a run which goes on has from its file
 * @throws UsageError, and FileError or FormatError for a checkpoint that cannot be read
 */
export async function readPlan(options: Options, out: string, fixed: readonly string[]): Promise<Plan> {
  const resume = text(options, 'resume', undefined);
  const seconds = number(options, 'seconds', undefined, 'a number > 0', (s) => s > 0);
  const epochs = count(options, 'epochs', undefined);
  if (resume === undefined) {
    const choice = chooseData(options);
    return { checkpoint: null, choice, out: text(options, 'out', out), epochs, seconds };
  }
  const given = fixed.find((name) => options[name] !== undefined);
  if (given) {
    throw new UsageError(`${dashed(given)} belongs to a new run, got --resume ${resume}, which has its own`);
  }
  const checkpoint = await readCheckpoint(resume);
  const notes = (checkpoint.settings ?? {}) as { seconds?: number };
  return {
    checkpoint,
    choice: chooseData({ ...savedData(checkpoint), ...options }),
    out: text(options, 'out', folderOf(checkpoint.source)),
    epochs,
    seconds: seconds ?? notes.seconds,
  };
}
