/** Reports to a terminal, with a progress bar for every epoch. */
import { type Options as BarOptions, SingleBar } from 'cli-progress';
import type { DownloadProgress } from '../../data/download.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/events.ts';
import type { PreparationEvent, ProgressEvent } from './events.ts';
import { epochText, loss, mib, rate, TextReporter, timeLeft } from './text-reporter.ts';

const BAR: BarOptions = { stream: process.stdout, barsize: 24, barCompleteChar: '█', barIncompleteChar: '░' };

export class BarReporter extends TextReporter {
  private bar: SingleBar | null = null;
  /** The name of the shown bar: of an epoch, a sampling or a download. */
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

  protected progress({ name, step, steps, secondsLeft }: ProgressEvent): void {
    const text = step < steps ? timeLeft(secondsLeft) : '';
    this.show(name, steps, '{name}  {bar}  {text}').update(step, { text });
    if (step === steps) this.close();
  }

  protected download({ url, received, total }: DownloadProgress): void {
    const name = url.slice(url.lastIndexOf('/') + 1);
    // If the server does not send the size of the file, the bar is full and the text counts the bytes.
    const bar = this.show(name, total ?? received, '{name}  {bar}  {text}');
    bar.setTotal(Math.max(total ?? received, 1));
    bar.update(received, { text: mib(received) });
    if (received === total) this.close();
  }

  /** The bar of this name. If another bar is shown, a new bar replaces it. */
  private show(name: string, total: number, format: string): SingleBar {
    if (this.bar && this.shown === name) return this.bar;
    this.close();
    this.shown = name;
    this.bar = new SingleBar({ ...BAR, format, clearOnComplete: this.brief });
    this.bar.start(total, 0, { name, text: '' });
    return this.bar;
  }
}
