/** The course of a training run as a plot: the loss of its batches, their running mean, and the test loss. */
import type { Layer } from '../../image/plot.ts';
import type { History } from '../../models/training/history.ts';

/** Batches that the running mean reaches back, roughly. */
const WINDOW = 40;

/** What a loss is of. */
export interface LossTitles {
  readonly title: string;
  readonly subtitle: string;
  /** The quantity on the axis. */
  readonly loss: string;
}

/** An exponential running mean; at first it reaches back over a fifth of the values so far, when they change fast. */
function runningMean(values: readonly number[], window: number): Float64Array {
  let mean = 0;
  return Float64Array.from(values, (value, i) => (mean += (value - mean) / Math.min(window, 1 + i / 5)));
}

/** The plot as an SVG file. Plot and its document are loaded only here: that takes a tenth of a second. */
export async function lossPlot(history: History, { title, subtitle, loss }: LossTitles): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const { at, losses: y, epochs, stride } = history;
  const color = PALETTE.blue;
  const mean = runningMean(y, Math.max(1, WINDOW / stride));
  const layers: Layer[] = [
    { kind: 'line', x: at, y, color, opacity: 0.25, width: 1 },
    { kind: 'line', x: at, y: mean, color, name: 'training, running mean' },
  ];
  const tested = epochs.filter(({ testLoss }) => Number.isFinite(testLoss));
  if (tested.length > 0) {
    const points = { x: tested.map((e) => e.epoch), y: tested.map((e) => e.testLoss) };
    layers.push({ kind: 'points', ...points, color: PALETTE.vermilion, radius: 4, name: 'test' });
  }
  const end = at[at.length - 1];
  return plot({
    title,
    subtitle,
    x: { label: 'epochs', domain: [0, end * 1.015] },
    y: { label: loss, scale: 'log' },
    layers,
  });
}
