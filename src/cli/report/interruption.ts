/**
 * Stops a run by Ctrl-C without loss of the trained model. The first signal requests a stop after the current batch. A
 * second signal ends the process at once. A closed output (`| head`) also requests a stop.
 */
import { constants } from 'node:os';

/** The number of SIGPIPE, for Windows, which does not define it. */
const SIGPIPE = 13;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class Interruption {
  /** The signal that requested the stop; null if there was none. */
  signal: 'SIGINT' | 'SIGTERM' | 'SIGPIPE' | null = null;

  /** Starts to listen for signals. @param onFirst called at the first signal */
  constructor(private readonly onFirst: () => void) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
    process.stdout.on('error', this.onClosed);
  }

  /** 128 + the number of the signal, as in shells: 130 after Ctrl-C. 0 without a signal. */
  get exitCode(): number {
    return this.signal ? 128 + (constants.signals[this.signal] ?? SIGPIPE) : 0;
  }

  /** Restores the default effect of the signals. */
  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
    process.stdout.off('error', this.onClosed);
  }

  private readonly onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    if (this.signal) process.exit(this.exitCode);
    this.signal = signal;
    this.onFirst();
  };

  private readonly onClosed = () => {
    this.signal ??= 'SIGPIPE';
  };
}
