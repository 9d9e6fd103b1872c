/**
 * Ctrl-C that keeps what was trained: the first signal asks the run to stop after its current batch, a second
 * one ends the process at once. A reader of the output that goes away (`| head`) asks for the same.
 */
import { constants } from 'node:os';

/** Its number where the system, Windows, does not know it. */
const SIGPIPE = 13;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class Interruption {
  /** The signal that asked for the stop. */
  signal: 'SIGINT' | 'SIGTERM' | 'SIGPIPE' | null = null;

  /** Begins to listen. @param asked is called once, when the first signal comes */
  constructor(private readonly asked: () => void) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
    process.stdout.on('error', this.onClosed);
  }

  /** 128 + the signal's number, as shells have it: 130 after Ctrl-C. */
  get exitCode(): number {
    return this.signal ? 128 + (constants.signals[this.signal] ?? SIGPIPE) : 0;
  }

  /** Gives the signals back their usual effect. */
  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
    process.stdout.off('error', this.onClosed);
  }

  private readonly onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    if (this.signal) process.exit(this.exitCode);
    this.signal = signal;
    this.asked();
  };

  private readonly onClosed = () => {
    this.signal ??= 'SIGPIPE';
  };
}
