/**
 * Checkpoints at intervals. A failed checkpoint does not end the training: the run continues with a warning, and the
 * next attempt follows after another interval. The save at the end of a run is not periodic, and its failure is an error.
 */
import { FileError } from '../../errors.ts';

/** Milliseconds between checkpoints. A checkpoint is about three times as large as the model. */
const SAVE_EVERY = 30_000;

/**
 * A function that is called after each batch. It saves if the last attempt is older than `every` milliseconds.
 * @param warn receives the message if a file cannot be written; all other errors are thrown
 */
export function periodicSave(
  save: () => Promise<void>,
  warn: (message: string) => void,
  { every = SAVE_EVERY, now = () => performance.now() } = {},
): () => Promise<void> {
  let last = now();
  return async () => {
    if (now() - last <= every) return;
    try {
      await save();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      warn(`no checkpoint was written, and the training continues: ${error.message}`);
    }
    last = now();
  };
}
