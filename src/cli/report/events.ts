/** What is heard of a run while it goes on, and who hears it. */
import type { DownloadProgress } from '../../data/download.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/events.ts';

/** What a run consists of before its first batch. */
export interface StartEvent {
  readonly type: 'start';
  /** Lines for people. */
  readonly lines: readonly string[];
  /** For programs. */
  readonly run: Readonly<Record<string, unknown>>;
  readonly epochs: number;
}

/** What a run left behind. */
export interface EndEvent {
  readonly type: 'end';
  /** The signal that stopped the run early. */
  readonly stopped: string | null;
  /** The paths written, each with what is in it. */
  readonly files: readonly (readonly [path: string, what: string])[];
  /** The SHA-256 of the numbers that each figure shows, by its file's name: a page that shows the same has the same. */
  readonly numbers?: Readonly<Record<string, string>>;
  /** Lines for people: the outcome, and what to try next. */
  readonly summary: readonly string[];
  readonly next: readonly (readonly [command: string, what: string])[];
}

/** An epoch of a model that a run needs beside its own, such as a classifier. */
export interface PreparationEvent {
  readonly type: 'preparation';
  /** The model. */
  readonly name: string;
  /** Of `epochs`, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly imagesPerSecond: number;
}

/** How far a work of many steps is: a sampling. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** What is done. */
  readonly name: string;
  /** Of `steps`, from 1. */
  readonly step: number;
  readonly steps: number;
  /** Seconds until the end, at the speed so far. */
  readonly secondsLeft: number;
}

/** A part of the outcome, reported as soon as it is known. */
export interface ResultEvent {
  readonly type: 'result';
  /** For people. */
  readonly line: string;
  /** For programs. */
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

export interface Reporter {
  event(event: RunEvent): void;
  /** Leaves the terminal as it was; a run that fails has no end event. */
  close(): void;
}

export const print = (line: string) => process.stdout.write(`${line}\n`);

export function warn(event: RunEvent): void {
  if (event.type === 'warning') process.stderr.write(`langevin: ${event.message}\n`);
}
