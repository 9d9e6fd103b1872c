/** Reports events as JSON for programs, one object per line. */
import type { BatchEvent } from '../../models/training/events.ts';
import { print, type Reporter, type RunEvent } from './events.ts';

/** The number of batches, or of sampling steps, between two JSON events. */
const JSON_EVERY = 100;

export class JsonReporter implements Reporter {
  private sum = 0;
  private batches = 0;

  event(event: RunEvent): void {
    if (event.type === 'batch') return this.batch(event);
    if (event.type === 'start') return this.line({ type: 'start', ...event.run });
    if (event.type === 'end') {
      const { stopped, files, numbers } = event;
      return this.line({ type: 'end', stopped, files: files.map(([path]) => path), numbers });
    }
    if (event.type === 'result') return this.line({ type: 'result', ...event.result });
    if (event.type === 'progress' && event.step % JSON_EVERY !== 0) return;
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
