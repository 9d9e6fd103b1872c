/** Follows a trainer to its end or to a signal: tells the reporter and the history of the losses all that it says. */
import { setImmediate } from 'node:timers/promises';
import { DivergenceError } from '../../errors.ts';
import type { TrainEvent } from '../../models/training/denoiser.ts';
import type { LossHistory } from '../results/loss-plot.ts';
import { Interruption } from './interruption.ts';
import type { Reporter } from './reporter.ts';

/** How a run ended. */
export interface Followed {
  /** The signal that stopped it, or `divergence`; null for a run that came to its own end. */
  readonly signal: string | null;
  /** The last batch. */
  readonly last: { readonly epoch: number; readonly batch: number };
}

/** A run to follow. */
export interface Course {
  readonly events: Iterable<TrainEvent>;
  readonly history: LossHistory;
  /** Called with each event once it was told: for checkpoints. */
  after?(event: TrainEvent): Promise<void>;
  /** Called with the end, while signals are still heard: a second one ends the process. */
  finish(end: Followed): Promise<void>;
  /** Whether the trainer puts a model that diverged back to its last good epoch, so that this much can be kept. */
  readonly restores?: boolean;
}

/**
 * @returns the process's exit code
 * @throws what the trainer throws
 */
export async function follow(
  { events, history, after, finish, restores = false }: Course,
  reporter: Reporter,
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
      await after?.(event);
      await setImmediate(); // signals are heard here
      if (interruption.signal) break;
    }
    const { signal, exitCode } = interruption;
    await finish({ signal, last });
    return exitCode;
  } catch (error) {
    if (restores && error instanceof DivergenceError && history.epochs.length > 0) {
      await finish({ signal: 'divergence', last });
    }
    throw error;
  } finally {
    interruption.dispose();
  }
}
