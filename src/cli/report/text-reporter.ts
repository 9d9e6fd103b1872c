/** Reports events as text. This file has the code that progress bars and lines share. */
import type { DownloadProgress } from '../../data/download.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/events.ts';
import {
  type PreparationEvent,
  type ProgressEvent,
  print,
  type Reporter,
  type RunEvent,
  warn,
} from './events.ts';

export const loss = (value: number) => value.toFixed(4);
export const rate = (imagesPerSecond: number) =>
  `${Math.round(imagesPerSecond).toLocaleString('en')} images/s`;
export const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** The remaining time: `4 min 10 s left`. */
export function timeLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  return `${minutes > 0 ? `${minutes} min ` : ''}${whole % 60} s left`;
}

export const epochText = ({ trainLoss, testLoss, seconds, imagesPerSecond }: EpochEvent) =>
  `train ${loss(trainLoss)}  test ${loss(testLoss)}  ${seconds.toFixed(1)} s  ${rate(imagesPerSecond)}`;

/** Lines of two columns, with the title before the first line. The first column is as wide as its widest text. */
function table(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(
    ([left, right], i) => `${(i === 0 ? title : '').padEnd(8)}${left.padEnd(width + 2)}${right}`,
  );
}

/** The approximate number of batches in a moving mean. The loss and speed of a single batch vary too much to read. */
const SMOOTH = 20;

/** An exponential moving average. Until it has SMOOTH values it is their mean. */
class MovingMean {
  private value = 0;
  private count = 0;

  add(next: number): number {
    this.count = Math.min(SMOOTH, this.count + 1);
    this.value += (next - this.value) / this.count;
    return this.value;
  }
}

/** Reports events as text. Subclasses print the progress. */
export abstract class TextReporter implements Reporter {
  private epochs = 0;
  private readonly loss = new MovingMean();
  private readonly rate = new MovingMean();

  /** @param brief whether only the progress is shown, and a progress bar is removed at its end */
  constructor(protected readonly brief: boolean) {}

  event(event: RunEvent): void {
    switch (event.type) {
      case 'start':
        this.epochs = event.epochs;
        return this.brief ? undefined : event.lines.forEach(print);
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
      case 'progress':
        return this.progress(event);
      case 'download':
        return this.download(event);
      case 'result':
        this.close();
        return this.brief ? undefined : void print(event.line);
      case 'end':
        this.close();
        if (this.brief) return;
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
  protected abstract progress(event: ProgressEvent): void;
  protected abstract download(event: DownloadProgress): void;

  protected epochName(epoch: number): string {
    return `epoch ${String(epoch).padStart(String(this.epochs).length)}/${this.epochs}`;
  }
}
