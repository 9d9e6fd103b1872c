/** The plots of `langevin schedules`. */
import type { Layer } from '../../image/plot.ts';
import type { SchedulesFigure } from '../../models/figures/schedules.ts';

/** The range of the plotted ratios. Below it a picture looks like pure noise, above it like pure data. */
const SNRS = [1e-6, 1e6] as const;

/** A line for each schedule. A rescaled schedule has the colour of the original and another dash. */
async function layersOf({ curves }: SchedulesFigure): Promise<Layer[]> {
  const { PALETTE, seriesStyle } = await import('../../image/plot.ts');
  const colors = Object.keys(PALETTE).length;
  const names = [...new Set(curves.map(({ name }) => name))];
  return curves.map(({ name, zeroSnr, times, values }) => ({
    kind: 'line',
    name: zeroSnr ? `${name}, zero SNR` : name,
    // The last two of the four dashes are for rescaled schedules. So 14 schedules can be distinguished.
    ...seriesStyle(names.indexOf(name) + (zeroSnr ? 2 * colors : 0)),
    x: times,
    y: values,
  }));
}

const AXIS = { label: 'time t / T' };
const subtitle = (steps: number) => `T = ${steps} for schedules with discrete steps`;

export async function drawAlphaBar(figure: SchedulesFigure, steps: number): Promise<string> {
  const { plot } = await import('../../image/plot.ts');
  return plot({
    title: 'Share of the data in the variance',
    subtitle: subtitle(steps),
    x: AXIS,
    y: { label: 'alphaBar', domain: [0, 1] },
    layers: await layersOf(figure),
    legend: true,
  });
}

export async function drawSnr(figure: SchedulesFigure, steps: number): Promise<string> {
  const { plot } = await import('../../image/plot.ts');
  return plot({
    title: 'Signal-to-noise ratio',
    subtitle: subtitle(steps),
    x: AXIS,
    y: { label: 'SNR = (alpha/sigma)²', scale: 'log', domain: SNRS },
    layers: await layersOf(figure),
    legend: true,
  });
}
