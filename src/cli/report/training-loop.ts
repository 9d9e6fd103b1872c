/** Runs a trainer to its end or until a signal arrives, and reports all its events. */
import { setImmediate } from 'node:timers/promises';
import { DivergenceError } from '../../errors.ts';
import type { TrainEvent } from '../../models/training/events.ts';
import { Interruption } from './interruption.ts';
import type { Reporter } from './reporter.ts';

/** How a run ended. */
export interface LoopEnd {
  /** The signal that stopped the run, or `divergence`; null if nothing stopped it. */
  readonly signal: string | null;
  /** The position of the last batch. */
  readonly last: { readonly epoch: number; readonly batch: number };
}

/** A run, and the functions to call during it. */
export interface LoopOptions {
  readonly events: Iterable<TrainEvent>;
  /** The position at the start of the run. If the run ends before its first batch, this is also the last position. */
  readonly begin: LoopEnd['last'];
  /** Called after each event has been reported. It writes checkpoints. */
  after(event: TrainEvent): Promise<void>;
  /** Called at the end of the run. A second signal during this call ends the process. */
  finish(end: LoopEnd): Promise<void>;
  /** Whether to call `finish` after a divergence. The trainer has then restored its last valid state. */
  keepDiverged(): boolean;
}

/**
 * Runs the trainer. Signals are handled after each event.
 * @returns the exit code of the process
 * @throws what the trainer throws
 */
export async function follow(
  { events, begin, after, finish, keepDiverged }: LoopOptions,
  reporter: Reporter,
): Promise<number> {
  const interruption = new Interruption(() => {
    const message =
      'stopping after this batch; the trained model is kept; a second signal ends the process at once';
    reporter.event({ type: 'stopping', message });
  });
  let last = begin;
  try {
    for (const event of events) {
      if (event.type === 'batch') last = { epoch: event.epoch, batch: event.batch };
      reporter.event(event);
      await after(event);
      await setImmediate(); // signals are handled here
      if (interruption.signal) break;
    }
    const { signal, exitCode } = interruption;
    await finish({ signal, last });
    return exitCode;
  } catch (error) {
    if (error instanceof DivergenceError && keepDiverged()) await finish({ signal: 'divergence', last });
    throw error;
  } finally {
    interruption.dispose();
  }
}
