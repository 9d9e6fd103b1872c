/** Plots of `langevin schedules`. */
import type { Layer } from '../../image/plot.ts';
import type { SchedulesFigure } from '../../models/figures/schedules.ts';

/** Ratios that are shown; what lies beyond is noise or data to every eye. */
const SNRS = [1e-6, 1e6] as const;

/** A line for each schedule; one that is rescaled has the colour of its schedule, and a dash of its own. */
async function layersOf({ curves }: SchedulesFigure): Promise<Layer[]> {
  const { PALETTE, seriesStyle } = await import('../../image/plot.ts');
  const colors = Object.keys(PALETTE).length;
  const names = [...new Set(curves.map(({ name }) => name))];
  return curves.map(({ name, zeroSnr, times, values }) => ({
    kind: 'line',
    name: zeroSnr ? `${name}, zero SNR` : name,
    // Of the four dashes the last two are for rescaled schedules: 14 schedules can be distinguished.
    ...seriesStyle(names.indexOf(name) + (zeroSnr ? 2 * colors : 0)),
    x: times,
    y: values,
  }));
}

const AXIS = { label: 'time t / T' };
const subtitle = (steps: number) => `Those with steps have T = ${steps}`;

export async function drawAlphaBar(figure: SchedulesFigure, steps: number): Promise<string> {
  const { plot } = await import('../../image/plot.ts');
  return plot({
    title: 'What is left of the data',
    subtitle: subtitle(steps),
    x: AXIS,
    y: { label: 'alphaBar, share of the data in the variance', domain: [0, 1] },
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
