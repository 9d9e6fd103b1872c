/** The events of a run, and the interface of a reporter, which prints them. */
import type { DownloadProgress } from '../../data/download.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/events.ts';

/** The start of a run. */
export interface StartEvent {
  readonly type: 'start';
  /** The description of the run as lines of text. */
  readonly lines: readonly string[];
  /** The same description for JSON output. */
  readonly run: Readonly<Record<string, unknown>>;
  readonly epochs: number;
}

/** The end of a run. */
export interface EndEvent {
  readonly type: 'end';
  /** The signal that stopped the run, or `divergence`; null if nothing stopped it. */
  readonly stopped: string | null;
  /** The paths of the written files, each with its description. */
  readonly files: readonly (readonly [path: string, what: string])[];
  /** The SHA-256 of each figure's numbers, by the name of its file. A page with the same numbers has the same hash. */
  readonly numbers?: Readonly<Record<string, string>>;
  /** The outcome as lines of text. */
  readonly summary: readonly string[];
  /** Commands to try next, each with its description. */
  readonly next: readonly (readonly [command: string, what: string])[];
}

/** An epoch of an additional model that a run trains, such as a classifier. */
export interface PreparationEvent {
  readonly type: 'preparation';
  /** The name of the model. */
  readonly name: string;
  /** Of `epochs`, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
}

/** The progress of a task of many steps, such as sampling. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** The name of the task. */
  readonly name: string;
  /** Of `steps`, from 1. */
  readonly step: number;
  readonly steps: number;
  /** The estimated seconds until the end, from the mean speed so far. */
  readonly secondsLeft: number;
}

/** A part of the results. It is reported as soon as it is known. */
export interface ResultEvent {
  readonly type: 'result';
  /** The result as text. */
  readonly line: string;
  /** The same result for JSON output. */
  readonly result: Readonly<Record<string, unknown>>;
}

export type RunEvent =
  | StartEvent
  | PreparationEvent
  | ProgressEvent
  | BatchEvent
  | EpochEvent
  | ResultEvent
  | EndEvent
  | ({ readonly type: 'download' } & DownloadProgress)
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'stopping'; readonly message: string };

/** Prints the events of a run. */
export interface Reporter {
  event(event: RunEvent): void;
  /** Removes the progress bar. It is called after every run, because a run that fails has no end event. */
  close(): void;
}

export const print = (line: string) => process.stdout.write(`${line}\n`);

/** Prints a warning to standard error. Other events are ignored. */
export function warn(event: RunEvent): void {
  if (event.type === 'warning') process.stderr.write(`langevin: ${event.message}\n`);
}
