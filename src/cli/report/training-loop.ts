/** Follows a trainer to its end or to a signal, and tells the reporter all that it says. */
import { setImmediate } from 'node:timers/promises';
import { DivergenceError } from '../../errors.ts';
import type { TrainEvent } from '../../models/training/events.ts';
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
  /** Where the run begins, for one that ends before its first batch. */
  readonly begin: Followed['last'];
  /** Called after each event was reported: for checkpoints. */
  after(event: TrainEvent): Promise<void>;
  /** Called with the end, while signals are still heard: a second one ends the process. */
  finish(end: Followed): Promise<void>;
  /** Whether what a run that diverged is back to shall be kept. */
  keeps(): boolean;
}

/**
 * @returns the process's exit code
 * @throws what the trainer throws
 */
export async function follow(
  { events, begin, after, finish, keeps }: Course,
  reporter: Reporter,
): Promise<number> {
  const interruption = new Interruption(() => {
    const message = 'stopping after this batch, and keeping what was trained; once more ends at once';
    reporter.event({ type: 'stopping', message });
  });
  let last = begin;
  try {
    for (const event of events) {
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
    if (error instanceof DivergenceError && keeps()) await finish({ signal: 'divergence', last });
    throw error;
  } finally {
    interruption.dispose();
  }
}
