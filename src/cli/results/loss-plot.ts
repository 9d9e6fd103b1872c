/** The course of a training run as a plot: the loss of every batch, its running mean, and the test loss. */
import type { Layer } from '../../image/plot.ts';
import type { BatchEvent, EpochEvent } from '../../models/training/denoiser.ts';

/** Batches that the running mean reaches back, roughly. */
const WINDOW = 40;

/** An exponential running mean; at first it reaches back over a fifth of the batches so far, when they change fast. */
function runningMean(values: readonly number[]): Float64Array {
  let mean = 0;
  return Float64Array.from(values, (value, i) => (mean += (value - mean) / Math.min(WINDOW, 1 + i / 5)));
}

/** What a run has told so far. */
export class LossHistory {
  readonly epochs: EpochEvent[] = [];
  /** In epochs: 1.5 is the middle of the second one. */
  private readonly at: number[] = [];
  private readonly losses: number[] = [];

  add(event: BatchEvent | EpochEvent): void {
    if (event.type === 'epoch') {
      this.epochs.push(event);
    } else {
      this.at.push(event.epoch - 1 + event.batch / event.batches);
      this.losses.push(event.loss);
    }
  }

  /** Batches so far. */
  get batches(): number {
    return this.losses.length;
  }

  /** The plot as an SVG file. Plot and its document are loaded only here: that takes a tenth of a second. */
  async plot(title: string, subtitle: string): Promise<string> {
    const { plot, PALETTE } = await import('../../image/plot.ts');
    const { at, losses: y, epochs } = this;
    const color = PALETTE.blue;
    const layers: Layer[] = [
      { kind: 'line', x: at, y, color, opacity: 0.25, width: 1 },
      { kind: 'line', x: at, y: runningMean(y), color, name: 'training, running mean' },
    ];
    if (epochs.length > 0) {
      const tested = { x: epochs.map((e) => e.epoch), y: epochs.map((e) => e.testLoss) };
      layers.push({ kind: 'points', ...tested, color: PALETTE.vermilion, radius: 4, name: 'test' });
    }
    const end = at[at.length - 1];
    return plot({
      title,
      subtitle,
      x: { label: 'epochs', domain: [0, end * 1.015] },
      y: { label: 'mean squared error', scale: 'log' },
      layers,
    });
  }
}
