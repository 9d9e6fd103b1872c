/**
 * What is heard of a run while it goes on: a progress bar on a terminal, a line every few seconds elsewhere,
 * one JSON object a line for programs, or nothing. All of it goes to standard output; warnings, which are no
 * result, go to standard error.
 */
import { type Options as BarOptions, SingleBar } from 'cli-progress';
import type { DownloadProgress } from '../../data/download.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/events.ts';
import { type Options, UsageError } from '../options/arguments.ts';

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

export type RunEvent =
  | StartEvent
  | PreparationEvent
  | BatchEvent
  | EpochEvent
  | EndEvent
  | ({ readonly type: 'download' } & DownloadProgress)
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'stopping'; readonly message: string };

export interface Reporter {
  event(event: RunEvent): void;
  /** Leaves the terminal as it was; a run that fails has no end event. */
  close(): void;
}

/** Declared by every command that runs for a while. */
export const REPORT_OPTIONS: readonly (readonly [flag: string, what: string])[] = [
  ['--json', 'Print events as JSON, one object a line'],
  ['--quiet', 'Print nothing but errors'],
];

/** The reporter that the options ask for. @throws UsageError */
export function createReporter({ json, quiet }: Options): Reporter {
  if (json && quiet) throw new UsageError('--json and --quiet exclude each other, got both');
  if (json) return new JsonReporter();
  if (quiet) return { event: warn, close() {} };
  return process.stdout.isTTY ? new BarReporter() : new LineReporter();
}

const print = (line: string) => process.stdout.write(`${line}\n`);

function warn(event: RunEvent): void {
  if (event.type === 'warning') process.stderr.write(`langevin: ${event.message}\n`);
}

/** Batches from one JSON event to the next. */
const JSON_EVERY = 100;

class JsonReporter implements Reporter {
  private sum = 0;
  private batches = 0;

  event(event: RunEvent): void {
    if (event.type === 'batch') return this.batch(event);
    if (event.type === 'start') return this.line({ type: 'start', ...event.run });
    if (event.type === 'end') {
      const { stopped, files } = event;
      return this.line({ type: 'end', stopped, files: files.map(([path]) => path) });
    }
    if (event.type === 'download' && event.received !== event.total) return;
    this.line(event);
  }

  close(): void {}

  private batch(event: BatchEvent): void {
    this.sum += event.loss;
    this.batches++;
    if (event.batch % JSON_EVERY !== 0 && event.batch !== event.batches) return;
    this.line({ ...event, loss: this.sum / this.batches });
    this.sum = this.batches = 0;
  }

  private line(value: object): void {
    print(JSON.stringify(value));
  }
}

const loss = (value: number) => value.toFixed(4);
const rate = (imagesPerSecond: number) => `${Math.round(imagesPerSecond).toLocaleString('en')} images/s`;
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const epochText = ({ trainLoss, testLoss, seconds, imagesPerSecond }: EpochEvent) =>
  `train ${loss(trainLoss)}  test ${loss(testLoss)}  ${seconds.toFixed(1)} s  ${rate(imagesPerSecond)}`;

/** Rows of two columns, the first as wide as its widest text. */
function table(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(
    ([left, right], i) => `${(i === 0 ? title : '').padEnd(8)}${left.padEnd(width + 2)}${right}`,
  );
}

/** Batches that the numbers of a line or a bar reach back, roughly: those of one batch jump about. */
const SMOOTH = 20;

/** A mean that moves with what is new. */
class MovingMean {
  private value = 0;
  private count = 0;

  add(next: number): number {
    this.count = Math.min(SMOOTH, this.count + 1);
    this.value += (next - this.value) / this.count;
    return this.value;
  }
}

/** What both kinds of text have in common. */
abstract class TextReporter implements Reporter {
  private epochs = 0;
  private readonly loss = new MovingMean();
  private readonly rate = new MovingMean();

  event(event: RunEvent): void {
    switch (event.type) {
      case 'start':
        this.epochs = event.epochs;
        return event.lines.forEach(print);
      case 'batch':
        return this.batch({
          ...event,
          loss: this.loss.add(event.loss),
          imagesPerSecond: this.rate.add(event.imagesPerSecond),
        });
      case 'epoch':
        return this.epoch(event);
      case 'preparation':
        return this.preparation(event);
      case 'download':
        return this.download(event);
      case 'end':
        this.close();
        print('');
        event.summary.forEach(print);
        table('wrote', event.files).forEach(print);
        print('');
        return table('next', event.next).forEach(print);
      case 'stopping':
        this.close();
        return void print(event.message);
      case 'warning':
        return warn(event);
    }
  }

  abstract close(): void;
  protected abstract batch(event: BatchEvent): void;
  protected abstract epoch(event: EpochEvent): void;
  protected abstract preparation(event: PreparationEvent): void;
  protected abstract download(event: DownloadProgress): void;

  protected epochName(epoch: number): string {
    return `epoch ${String(epoch).padStart(String(this.epochs).length)}/${this.epochs}`;
  }
}

/** Milliseconds from one line to the next where there is no terminal. */
const LINE_EVERY = 5000;

class LineReporter extends TextReporter {
  private last = performance.now();

  close(): void {}

  protected batch({ epoch, batch, batches, loss: value, imagesPerSecond }: BatchEvent): void {
    const place = `${this.epochName(epoch)}  batch ${batch}/${batches}`;
    if (batch < batches) this.now(() => `${place}  loss ${loss(value)}  ${rate(imagesPerSecond)}`);
  }

  protected epoch(event: EpochEvent): void {
    print(`${this.epochName(event.epoch)}  ${epochText(event)}`);
    this.last = performance.now();
  }

  protected preparation({ name, epoch, epochs, loss: value, imagesPerSecond }: PreparationEvent): void {
    const place = `training the ${name}: epoch ${epoch}/${epochs}`;
    this.now(() => `${place}  loss ${loss(value)}  ${rate(imagesPerSecond)}`);
  }

  protected download({ url, received, total }: DownloadProgress): void {
    this.now(() => `downloading ${url}  ${mib(received)}${total ? ` of ${mib(total)}` : ''}`);
  }

  /** Prints a line unless the last one was a moment ago. */
  private now(line: () => string): void {
    if (performance.now() - this.last < LINE_EVERY) return;
    this.last = performance.now();
    print(line());
  }
}

const BAR: BarOptions = { stream: process.stdout, barsize: 24, barCompleteChar: '█', barIncompleteChar: '░' };

class BarReporter extends TextReporter {
  private bar: SingleBar | null = null;
  /** What the bar shows: an epoch, or a download. */
  private shown = '';

  close(): void {
    this.bar?.stop();
    this.bar = null;
    this.shown = '';
  }

  protected batch({ epoch, batch, batches, loss: value, imagesPerSecond }: BatchEvent): void {
    const text = `loss ${loss(value)}  ${rate(imagesPerSecond)}`;
    this.show(this.epochName(epoch), batches, '{name}  {bar}  {text}').update(batch, { text });
  }

  protected epoch(event: EpochEvent): void {
    this.bar?.update({ text: epochText(event) });
    this.close();
  }

  protected preparation({ name, epoch, epochs, loss: value, imagesPerSecond }: PreparationEvent): void {
    const text = `loss ${loss(value)}  ${rate(imagesPerSecond)}`;
    this.show(name, epochs, '{name}  {bar}  {text}').update(epoch, { text });
    if (epoch === epochs) this.close();
  }

  protected download({ url, received, total }: DownloadProgress): void {
    const name = url.slice(url.lastIndexOf('/') + 1);
    // A server need not say how long the file is; then the bar is full, and the text counts.
    const bar = this.show(name, total ?? received, '{name}  {bar}  {text}');
    bar.setTotal(Math.max(total ?? received, 1));
    bar.update(received, { text: mib(received) });
    if (received === total) this.close();
  }

  /** The bar of that name, begun anew unless it is the one that is shown. */
  private show(name: string, total: number, format: string): SingleBar {
    if (this.bar && this.shown === name) return this.bar;
    this.close();
    this.shown = name;
    this.bar = new SingleBar({ ...BAR, format });
    this.bar.start(total, 0, { name, text: '' });
    return this.bar;
  }
}
