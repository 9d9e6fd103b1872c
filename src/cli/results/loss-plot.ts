/** The plot of the losses of a training run. */
import type { Layer } from '../../image/plot.ts';
import type { LossFigure } from '../../models/figures/loss.ts';

/** The titles of the plot. */
export interface LossTitles {
  readonly title: string;
  readonly subtitle: string;
  /** The name of the loss, for the axis. */
  readonly loss: string;
}

/** The plot as an SVG file. The plotting library is loaded only here, because this takes a tenth of a second. */
export async function drawLoss(
  { training, mean, test }: LossFigure,
  { title, subtitle, loss }: LossTitles,
): Promise<string> {
  const { plot, PALETTE } = await import('../../image/plot.ts');
  const color = PALETTE.blue;
  const { x } = training;
  const layers: Layer[] = [
    { kind: 'line', ...training, color, opacity: 0.25, width: 1 },
    { kind: 'line', x, y: mean, color, name: 'training, running mean' },
  ];
  if (test.x.length > 0) {
    layers.push({ kind: 'points', ...test, color: PALETTE.vermilion, radius: 4, name: 'test' });
  }
  const end = x[x.length - 1];
  return plot({
    title,
    subtitle,
    x: { label: 'epochs', domain: [0, end * 1.015] },
    y: { label: loss, scale: 'log' },
    layers,
  });
}
