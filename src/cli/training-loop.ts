/** Follows a trainer to its end or to a signal: tells the reporter and the history of the losses all that it says. */
import { setImmediate } from 'node:timers/promises';
import { DivergenceError } from '../errors.ts';
import type { TrainEvent } from '../models/train-denoiser.ts';
import { Interruption } from './interruption.ts';
import type { LossHistory } from './loss-plot.ts';
import type { Reporter } from './reporter.ts';

/** How a run ended. */
export interface Followed {
  /** The signal that stopped it, or `divergence`; null for a run that came to its own end. */
  readonly signal: string | null;
  /** The last batch. */
  readonly last: { readonly epoch: number; readonly batch: number };
}

/**
 * @param after is called with each event once it was told: for checkpoints
 * @param finish is called with the end, while signals are still heard: a second one ends the process
 * @returns the process's exit code
 * @throws what the trainer throws; of a divergence after whole epochs the results are written first
 */
export async function follow(
  events: Iterable<TrainEvent>,
  reporter: Reporter,
  history: LossHistory,
  after: (event: TrainEvent) => Promise<void>,
  finish: (end: Followed) => Promise<void>,
): Promise<number> {
  const interruption = new Interruption(() => {
    const message = 'stopping after this batch, and keeping what was trained; once more ends at once';
    reporter.event({ type: 'stopping', message });
  });
  let last = { epoch: 1, batch: 0 };
  try {
    for (const event of events) {
      history.add(event);
      if (event.type === 'batch') last = { epoch: event.epoch, batch: event.batch };
      reporter.event(event);
      await after(event);
      await setImmediate(); // signals are heard here
      if (interruption.signal) break;
    }
    const { signal, exitCode } = interruption;
    await finish({ signal, last });
    return exitCode;
  } catch (error) {
    // The model is back to where its training last went well: that much is kept.
    if (error instanceof DivergenceError && history.epochs.length > 0) {
      await finish({ signal: 'divergence', last });
    }
    throw error;
  } finally {
    interruption.dispose();
  }
}
