/** A line for every epoch, and one every few seconds in between, where there is no terminal. */
import type { DownloadProgress } from '../../data/download.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/events.ts';
import { type PreparationEvent, type ProgressEvent, print } from './events.ts';
import { epochText, loss, mib, rate, TextReporter, timeLeft } from './text-reporter.ts';

/** Milliseconds from one line to the next where there is no terminal. */
const LINE_EVERY = 5000;

export class LineReporter extends TextReporter {
  private last = performance.now();

  close(): void {}

  protected batch({ epoch, batch, batches, loss: value, imagesPerSecond }: BatchEvent): void {
    const place = `${this.epochName(epoch)}  batch ${batch}/${batches}`;
    if (batch < batches) this.now(() => `${place}  loss ${loss(value)}  ${rate(imagesPerSecond)}`);
  }

  protected epoch(event: EpochEvent): void {
    const line = `${this.epochName(event.epoch)}  ${epochText(event)}`;
    if (this.brief) return this.now(() => line);
    print(line);
    this.last = performance.now();
  }

  protected preparation({ name, epoch, epochs, loss: value, imagesPerSecond }: PreparationEvent): void {
    const place = `training the ${name}: epoch ${epoch}/${epochs}`;
    this.now(() => `${place}  loss ${loss(value)}  ${rate(imagesPerSecond)}`);
  }

  protected progress({ name, step, steps, secondsLeft }: ProgressEvent): void {
    if (step < steps) this.now(() => `${name}: step ${step}/${steps}  ${timeLeft(secondsLeft)}`);
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
