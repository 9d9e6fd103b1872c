/** Reports in lines of text, if the output is no terminal: one line per epoch, and one every five seconds within it. */
import type { DownloadProgress } from '../../data/download.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/events.ts';
import { type PreparationEvent, type ProgressEvent, print } from './events.ts';
import { epochText, loss, mib, rate, TextReporter, timeLeft } from './text-reporter.ts';

/** The least number of milliseconds between two lines of progress. */
const LINE_EVERY = 5000;

export class LineReporter extends TextReporter {
  private last = performance.now();

  close(): void {}

  protected batch({ epoch, batch, batches, loss: value, imagesPerSecond }: BatchEvent): void {
    const place = `${this.epochName(epoch)}  batch ${batch}/${batches}`;
    if (batch < batches) this.printIfDue(() => `${place}  loss ${loss(value)}  ${rate(imagesPerSecond)}`);
  }

  protected epoch(event: EpochEvent): void {
    const line = `${this.epochName(event.epoch)}  ${epochText(event)}`;
    if (this.brief) return this.printIfDue(() => line);
    print(line);
    this.last = performance.now();
  }

  protected preparation({ name, epoch, epochs, loss: value, imagesPerSecond }: PreparationEvent): void {
    const place = `training the ${name}: epoch ${epoch}/${epochs}`;
    this.printIfDue(() => `${place}  loss ${loss(value)}  ${rate(imagesPerSecond)}`);
  }

  protected progress({ name, step, steps, secondsLeft }: ProgressEvent): void {
    if (step < steps) this.printIfDue(() => `${name}: step ${step}/${steps}  ${timeLeft(secondsLeft)}`);
  }

  protected download({ url, received, total }: DownloadProgress): void {
    this.printIfDue(() => `downloading ${url}  ${mib(received)}${total ? ` of ${mib(total)}` : ''}`);
  }

  /** Prints a line, unless less than LINE_EVERY has passed since the last one. */
  private printIfDue(line: () => string): void {
    if (performance.now() - this.last < LINE_EVERY) return;
    this.last = performance.now();
    print(line());
  }
}
